# make demo    install into .venv, run the workflow on the demo archive, say where the result is
# make idc     the tag half of it on the index of the Imaging Data Commons, a million real series
# make test    all tests; with a real Slurm where it is installed
# make canary  what identifies, planted attribute by attribute in all places and encodings: minutes
# make fuzz    a million broken headers through the reader (half an hour)
# make study-clustering    compare all clusterings on four kinds of data, write docs/clustering.md
PYTHON ?= python3
CORES ?= 2
DIRECTORY ?= .
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake -c$(CORES) --directory $(DIRECTORY)
IDC := $(DIRECTORY)/results/idc/index.parquet

.PHONY: demo idc test test-slurm fuzz canary study-clustering lint clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(SNAKEMAKE) --configfile config/demo.yaml --quiet rules

idc: $(IDC)
	$(SNAKEMAKE) --configfile config/idc.yaml --quiet rules

$(IDC): | .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt idc-index-data
	@mkdir -p $(@D) && cp config/idc.key $(@D)/key
	ln -sf "$$($(BIN)/python -c 'import idc_index_data as i; print(i.IDC_INDEX_PARQUET_FILEPATH)')" $@

# A file of tests stays with one worker, which shares its runs of the workflow among them.
test: .venv/installed
	$(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder

test-slurm: .venv/installed
	$(BIN)/python -m pytest -m slurm --require-slurm

fuzz: .venv/installed
	TAGSIGHT_FUZZ=1000000 $(BIN)/python -m pytest tests/unit/test_fuzz.py

canary: .venv/installed
	TAGSIGHT_CANARY=1 $(BIN)/python -m pytest tests/workflow/test_canary.py

study-clustering: .venv/installed
	-$(BIN)/python -m pip install --quiet --constraint constraints.txt idc-index-data
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m study.clustering

lint: .venv/installed
	$(BIN)/python -m pytest tests/test_house.py

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo 'tagsight needs Python 3.11, 3.12 or 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

clean:
	rm -rf .venv results/* logs .snakemake tagsight/__pycache__
