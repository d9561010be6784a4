"""The networks that learn what radiology images look like.

`paper` is the paper's (§2.4, Fig. 1): encoder of two convolutions (64 filters 3 × 3, then 20
filters 2 × 2) and a 2 × 2 max pooling; decoder of two convolutions (20 filters 2 × 2, 64 filters
3 × 3) and an upsampling; RMSprop on the mean squared error. Embedding: 64 × 64 × 20 = 81,920.
What the paper does not specify is chosen here, with the defaults of its TensorFlow 2 if any:
- the 20-filter layer is the second convolution of the encoder, the first of the decoder (the text
  names two convolutions on either side, and these counts of filters);
- stride 1, output as large as input, the extra row and column of a 2 × 2 filter at the end;
- ReLU after every convolution, as is usual; nearest-neighbour upsampling;
- a last 3 × 3 convolution to one channel with a sigmoid: pixels are in [0, 1];
- weights by Glorot's uniform rule, biases 0; RMSprop's decay 0.9 and epsilon 1e-7;
- the learning rate comes from the config; pixels are scaled per image when it is drawn.

`small` is ours: five strided convolutions to a vector of 128, and back. GELU and no sigmoid at the
output: with ReLU and a sigmoid the output stayed all black on mostly dark images. No layer's output
depends on the other images of the batch (no batch normalisation), so an image has one embedding.
"""

import torch
from torch import Tensor, nn

SIZE = 128  # pixels a side


class Autoencoder(nn.Module):
    """An encoder and a decoder, for images float (n, 1, 128, 128) in [0, 1].

    The output of `small` may lie slightly outside of [0, 1].
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder, self.decoder, self.shape = encoder, decoder, shape

    def encode(self, images: Tensor) -> Tensor:
        """Return the embeddings of images: (n, 1, 128, 128) -> (n, d)."""
        embeddings: Tensor = self.encoder(images)
        return embeddings.flatten(1)

    def decode(self, embeddings: Tensor) -> Tensor:
        """Return images from embeddings: (n, d) -> (n, 1, 128, 128)."""
        images: Tensor = self.decoder(embeddings.reshape(-1, *self.shape))
        return images

    def forward(self, images: Tensor) -> Tensor:
        """Return images encoded and decoded again, same shape."""
        return self.decode(self.encode(images))


def paper() -> Autoencoder:
    """Return the network of preset `paper`, with weights from torch's random state."""
    encoder = nn.Sequential(
        *_convolution(1, 64, 3),  # (n, 64, 128, 128)
        *_convolution(64, 20, 2),  # (n, 20, 128, 128)
        nn.MaxPool2d(2),  # (n, 20, 64, 64)
    )
    decoder = nn.Sequential(
        *_convolution(20, 20, 2),  # (n, 20, 64, 64)
        *_convolution(20, 64, 3),  # (n, 64, 64, 64)
        nn.Upsample(scale_factor=2),  # (n, 64, 128, 128)
        *_convolution(64, 1, 3)[:-1],  # (n, 1, 128, 128)
        nn.Sigmoid(),
    )
    model = Autoencoder(encoder, decoder, (20, 64, 64))
    for name, parameter in model.named_parameters():
        (nn.init.zeros_ if name.endswith("bias") else nn.init.xavier_uniform_)(parameter)
    return _channels_last(model)


def _convolution(before: int, after: int, size: int) -> list[nn.Module]:
    """A convolution that keeps the image's size, then ReLU."""
    first, last = (size - 1) // 2, size // 2
    padding = nn.ZeroPad2d((first, last, first, last))
    return [padding, nn.Conv2d(before, after, size), nn.ReLU()]


def small(widths: tuple[int, ...] = (16, 32, 64, 64, 64), length: int = 128) -> Autoencoder:
    """Return the network of preset `small`, with weights from torch's random state.

    widths: filters of each layer, which halves the image; length: of an embedding.
    """
    side = SIZE >> len(widths)
    corner = (widths[-1], side, side)
    down: list[nn.Module] = []
    for before, after in zip((1, *widths), widths, strict=False):
        down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
    up: list[nn.Module] = []
    for before, after in zip(widths[::-1], (*widths[-2::-1], 1), strict=True):
        up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.GELU()]
    inside = widths[-1] * side * side
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(inside, length))  # (n, 128)
    decoder = nn.Sequential(nn.Linear(length, inside), nn.GELU(), nn.Unflatten(1, corner), *up[:-1])
    return _channels_last(Autoencoder(encoder, decoder, (length,)))


def _channels_last(model: Autoencoder) -> Autoencoder:
    """Filters in a layout that halves the time on a CPU."""
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model
