"""Write the demo archive, its planted truth and its key."""

import shutil
from pathlib import Path

from tagsight.demo import archive
from tagsight.run.atomic import write_file
from tagsight.run.jobs import logged
from tagsight.run.progress import Progress

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
    for source in archive.packaged_files():
        copy = folder / "pydicom" / source.parent.name / source.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    write_file("not a secret: the patients of the demo are invented\n", snakemake.output.key)
