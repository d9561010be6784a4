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

Three things nearly halve the time of training on a CPU, and change no function: an upsampling and
the convolution after it are one layer (UpsampledConv2d), the padding of a 2 × 2 filter is made by
the layer before it (GreyConv2d), and ReLU comes after the pooling, which only takes a maximum.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZE = 128  # pixels a side


class Autoencoder(nn.Module):
    """An encoder and a decoder, for images float (n, 1, 128, 128) in [0, 1].

    The output of `small` may lie slightly outside of [0, 1]. shape: of an embedding, as the decoder
    takes it; piece: images that a CPU has in hand at a time.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, shape: tuple[int, ...], piece: int
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.shape, self.piece = encoder, decoder, shape, piece

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
        again: Tensor = self.decoder(self.encoder(images))
        return again


class GreyConv2d(nn.Conv2d):
    """A 3 × 3 convolution of images of one channel, padding 1, which may add a border to be zero.

    The images get a second channel, since of one alone torch cannot tell the layout, and takes
    slower kernels. bordered: the output has one more row and column at the end, where ReLU makes
    zeros, and no gradient, of a number far below any: the second channel is 1 there, its weight
    -1e9. So the next layer's 2 × 2 filters find their padding, without a copy of all channels.
    """

    shut: Tensor  # (filters, 1, 3, 3), of the second channel

    def __init__(self, filters: int, stride: int = 1, *, bordered: bool = False) -> None:
        super().__init__(1, filters, 3, stride)
        self.border = int(bordered)
        shut = torch.zeros(filters, 1, 3, 3)
        shut[:, :, 1, 1] = -1e9
        self.register_buffer("shut", shut, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (n, filters, h, w) from (n, 1, h, w), each side over stride, plus the border."""
        n, _, height, width = images.shape
        pixels = images.new_zeros(n, height + 2 + self.border, width + 2 + self.border, 2)
        pixels[:, 1 : height + 1, 1 : width + 1, 0] = images[:, 0]
        if self.border:
            pixels[:, height + 1, :, 1] = 1
            pixels[:, :, width + 1, 1] = 1
        kernel = torch.cat([self.weight, self.shut], 1)
        return functional.conv2d(pixels.permute(0, 3, 1, 2), kernel, self.bias, self.stride)


class UpsampledConv2d(nn.Conv2d):
    """nn.Upsample(scale_factor=2) and a 3 × 3 convolution with padding 1, as one layer.

    A pixel stands four times in the upsampled image, and reaches 4 × 4 pixels of the output: what
    it adds there is a transposed convolution of stride 2, whose weights are sums of the nine. That
    is 16 products for each pixel and pair of channels in place of 36, and no upsampled image.
    """

    reach: Tensor  # (9, 16)

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3)
        # Along a side, the pixel is upsampled to 0 and 1: at u of the output, from -1 to 2, it
        # meets the weights a of which u + a - 1 is 0 or 1.
        side = torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
        self.register_buffer("reach", torch.kron(side, side).T.contiguous(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (n, after, 2 h, 2 w) from (n, before, h, w)."""
        after, before = self.weight.shape[:2]
        kernel = (self.weight.reshape(-1, 9) @ self.reach).reshape(after, before, 4, 4)
        images = images.contiguous(memory_format=torch.channels_last)
        return functional.conv_transpose2d(
            images, kernel.transpose(0, 1), self.bias, stride=2, padding=1
        )


def paper() -> Autoencoder:
    """Return the network of preset `paper`, with weights from torch's random state."""
    encoder = nn.Sequential(
        GreyConv2d(64, bordered=True),  # (n, 64, 129, 129)
        nn.ReLU(inplace=True),
        nn.Conv2d(64, 20, 2),  # (n, 20, 128, 128)
        nn.MaxPool2d(2),  # (n, 20, 64, 64)
        nn.ReLU(inplace=True),
    )
    decoder = nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(20, 20, 2),  # (n, 20, 64, 64)
        nn.ReLU(inplace=True),
        nn.Conv2d(20, 64, 3, padding=1),  # (n, 64, 64, 64)
        nn.ReLU(inplace=True),
        UpsampledConv2d(64, 1),  # (n, 1, 128, 128)
        nn.Sigmoid(),
    )
    model = Autoencoder(encoder, decoder, (20, 64, 64), piece=2)
    for name, parameter in model.named_parameters():
        (nn.init.zeros_ if name.endswith("bias") else nn.init.xavier_uniform_)(parameter)
    return _channels_last(model)


def small(widths: tuple[int, ...] = (16, 32, 64, 64, 64), length: int = 128) -> Autoencoder:
    """Return the network of preset `small`, with weights from torch's random state.

    widths: filters of each layer, which halves the image; length: of an embedding.
    """
    side = SIZE >> len(widths)
    corner = (widths[-1], side, side)
    down: list[nn.Module] = [GreyConv2d(widths[0], stride=2), nn.GELU()]
    for before, after in pairwise(widths):
        down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
    up: list[nn.Module] = []
    for before, after in zip(widths[::-1], (*widths[-2::-1], 1), strict=True):
        up += [UpsampledConv2d(before, after), nn.GELU()]
    inside = widths[-1] * side * side
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(inside, length))  # (n, 128)
    decoder = nn.Sequential(nn.Linear(length, inside), nn.GELU(), nn.Unflatten(1, corner), *up[:-1])
    return _channels_last(Autoencoder(encoder, decoder, (length,), piece=10))


def _channels_last(model: Autoencoder) -> Autoencoder:
    """Filters in a layout that halves the time on a CPU."""
    for layer in model.modules():
        if type(layer) is nn.Conv2d:  # the others make their filters anew for each piece
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    return model
