"""Write the demo archive, its planted truth and its key."""

import shutil
from pathlib import Path

from tagsight.demo import archive
from tagsight.jobs import Progress, logged
from tagsight.store import write_text

with logged(snakemake):
    folder = Path(snakemake.output.archive)
    shutil.rmtree(folder, ignore_errors=True)
    archive.write(
        folder,
        Path(snakemake.output.truth),
        patients=snakemake.params.patients,
        images=snakemake.params.images,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        progress=Progress(snakemake.params.images, "images"),
    )
    (folder / "pydicom").mkdir()
    for source in archive.packaged_files():
        shutil.copy(source, folder / "pydicom" / source.name)
    write_text("not a secret: the patients of the demo are invented\n", snakemake.output.key)
