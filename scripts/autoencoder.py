"""Train the autoencoder, continuing after the last finished epoch."""

from safetensors.torch import save_file

from tagsight.looks.learning_images import learning_images
from tagsight.looks.training import train
from tagsight.run.atomic import SEAL, write_parquet, writing
from tagsight.run.jobs import logged, resume_folder
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    images = learning_images(inputs.images, inputs.fates, inputs.draws)
    weights, training = train(
        images,
        preset=params.preset,
        epochs=params.epochs,
        batch=params.batch,
        learning_rate=params.learning_rate,
        validation=params.validation,
        device=params.device,
        seed=params.seed,
        threads=snakemake.threads,
        resume=resume_folder(snakemake) / "training.pt",
        progress=Progress(params.epochs, "epochs"),
    )
    if training.is_empty():
        LOG.warning("no network was trained: fewer than two images that could be drawn are its own")
    with writing(snakemake.output.weights) as temporary:
        save_file(weights, temporary, SEAL)
    write_parquet(training, snakemake.output.training)
