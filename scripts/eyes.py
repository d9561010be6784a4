"""Let the referees of the autoencoder learn their means and components, on its own images."""

from safetensors.numpy import save_file

from tagsight.looks import eyes
from tagsight.looks.learning_images import learning_images
from tagsight.run.atomic import SEAL, writing
from tagsight.run.jobs import logged
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    images = learning_images(inputs.images, inputs.fates, inputs.draws)
    LOG.info("%s to learn from", counted(len(images), "image"))
    fits = eyes.fit_all(params.eyes, images, params.device, snakemake.threads)
    with writing(snakemake.output[0]) as temporary:
        save_file(fits, temporary, SEAL)
