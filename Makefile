# make demo    install into .venv, run the workflow on the demo archive, say where the result is
# make idc     the tag half of it on the index of the Imaging Data Commons, a million real series
# make test    the tests that take minutes; make test-long the others; make test-all both
# make canary  what identifies, planted attribute by attribute in all places and encodings: minutes
# make fuzz    a million broken headers through the reader (half an hour)
# make study-clustering    compare all clusterings on four kinds of data, write docs/clustering.md
# make study-labels    compare designs of labels on drawn archives, write docs/labels.md
# make study-real      the same on real files and on the Imaging Data Commons, write docs/labels-real.md
# make study-seeds  small archives out of ../shared/dicom with 40 seeds each: every run ends with labels
# make worth-demo    what the demo's labels are worth, against what was planted: minutes, after `make demo`
# make levels          how often the test of looks gives a false alarm, into docs/evaluation.md
# make status        where the run in DIRECTORY is: done, at work, failed, waiting and why
# make asked-used    what the jobs of the runs RUNS asked for and used, into docs/cluster.md
# make api-docs    docs/api: the functions for notebooks, from their docstrings
# make wheelhouse    all that an install needs, for a machine without internet: docs/install.md
PYTHON ?= python3
CORES ?= 2
DIRECTORY ?= .
# On Linux, PyPI's torch brings gigabytes of CUDA with it; TORCH=cpu takes the CPU build instead, from
# the index of PyTorch. It is the default where there is no NVIDIA driver.
TORCH ?= $(if $(wildcard /proc/driver/nvidia/version)$(shell command -v nvidia-smi 2>&1),cuda,cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake -c$(CORES) --directory $(DIRECTORY)
IDC := $(DIRECTORY)/results/idc/index.parquet
# A file of tests stays with one worker, which shares its runs of the workflow among them.
PYTEST := $(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder
# WHEELHOUSE=folder installs from that folder alone.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL = $(PIP) install --constraint constraints.txt \
  $(if $(WHEELHOUSE),--no-index --find-links '$(WHEELHOUSE)')
# The CPU build has a version of its own, "+cpu", which PyPI can't hold: it is this one or an error.
CPU_TORCH := $(shell sed -n 's/^torch==.*/&+cpu/p' constraints.txt)
CPU_TORCH := $(if $(WHEELHOUSE)$(filter cuda,$(TORCH)),,$(if $(filter Linux,$(shell uname -s)),$(CPU_TORCH)))
FROM_INDEX := --retries 1 --no-deps --index-url $(TORCH_INDEX) '$(CPU_TORCH)'
NO_INDEX := echo 'no $(CPU_TORCH) at $(TORCH_INDEX). Name another index, TORCH_INDEX=…, or take the build \
  of PyPI, some gigabytes larger: TORCH=cuda'; exit 1

ifneq ($(filter-out cpu cuda,$(TORCH)),)
$(error TORCH is cpu or cuda, not "$(TORCH)")
endif
.PHONY: demo idc test test-long test-all test-slurm fuzz canary study-clustering study-labels study-real study-seeds worth-demo levels status asked-used lint api-docs wheelhouse clean
.DELETE_ON_ERROR:

demo: .venv/compiled
	$(SNAKEMAKE) --configfile config/demo.yaml --quiet rules

idc: $(IDC) .venv/compiled
	$(SNAKEMAKE) --configfile config/idc.yaml --quiet rules

$(IDC): | .venv/installed
	$(INSTALL) idc-index-data
	@mkdir -p $(@D) && install -m 600 config/idc.key $(@D)/key
	ln -sf "$$($(BIN)/python -c 'import idc_index_data as i; print(i.IDC_INDEX_PARQUET_FILEPATH)')" $@

test: .venv/tested .venv/compiled
	$(PYTEST) -m "not long"

test-long: .venv/tested .venv/compiled
	$(PYTEST) -m long

test-all: test test-long

test-slurm: .venv/tested
	$(BIN)/python -m pytest -m slurm --require-slurm

fuzz: .venv/tested
	TAGSIGHT_FUZZ=1000000 $(BIN)/python -m pytest tests/unit/reading/test_fuzz.py

canary: .venv/tested
	TAGSIGHT_CANARY=1 $(BIN)/python -m pytest tests/workflow/test_canary.py

study-clustering: .venv/installed
	-$(INSTALL) idc-index-data
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m study.clustering

study-labels: .venv/installed
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python -m study.labels

# REAL='folder …': more archives beside ../shared/dicom. The page's are the DICOM files in the packages
# deid-data, dicompyler-core, heudiconv, nibabel, pynetdicom and pyskindose of PyPI, unpacked.
study-real: .venv/installed
	-$(INSTALL) idc-index-data
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python -m study.real_labels \
	  $(foreach folder,$(REAL),--archive '$(folder)')

study-seeds: .venv/compiled
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python -m study.seeds ../shared/dicom

status:
	@$(BIN)/python -m tagsight.run.cluster.status $(DIRECTORY)

RUNS ?= $(DIRECTORY)
asked-used:
	$(BIN)/python benchmarks/asked_used.py $(RUNS)

worth-demo: demo
	$(BIN)/python -m study.demo_labels $(DIRECTORY)
	$(SNAKEMAKE) worth --configfile config/demo.yaml --quiet rules \
	  --config 'worth={labels: results/demo/labels.csv}'

levels: .venv/installed
	NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m study.levels

lint: .venv/tested
	$(BIN)/python -m pytest tests/test_house.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo 'tagsight needs Python 3.11, 3.12 or 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv .venv

# What a run needs. torch comes first, so that the rest finds the right build of it there.
.venv/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'installing into .venv, torch for $(TORCH): a minute or two, 2 GB'
	@[ -z "$(CPU_TORCH)" ] || $(PIP) install $(FROM_INDEX) || { $(NO_INDEX); }
	@$(INSTALL) --editable .
	@touch $@

.venv/tested: .venv/installed
	@echo "installing the tests' tools into .venv: half a minute, 0.4 GB"
	@$(INSTALL) --editable '.[test]'
	@touch $@

# Machine code, before the jobs and the tests that would each compile it for themselves.
.venv/compiled: .venv/installed $(shell find tagsight -name '*.py')
	@echo 'compiling: up to a minute, once'
	@$(BIN)/python -m tagsight.precompile
	@touch $@

api-docs: .venv/tested
	$(BIN)/python -m pdoc --docformat numpy --output-directory docs/api tagsight.api

wheelhouse: | $(BIN)/python
	@echo 'downloading into wheelhouse, torch for $(TORCH): a minute or two, 0.5 GB'
	@rm -rf $@ && mkdir $@
	@[ -z "$(CPU_TORCH)" ] || $(PIP) download --dest $@ $(FROM_INDEX) || { $(NO_INDEX); }
	@$(PIP) wheel --constraint constraints.txt --find-links $@ --wheel-dir $@ . 'setuptools>=77'
	@rm -rf build $@/tagsight-*.whl

clean:
	rm -rf .venv results/* logs .snakemake
	find tagsight -name __pycache__ -prune -exec rm -rf {} +
