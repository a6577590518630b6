"""Settings of the detector, apart from the code that needs torch: composing must stay quick.

An encoder is named, never imported: the names below are the allow-list, each built by timm. `space` lists what a
study may vary, under the dotted names of these settings and those of training.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import require_valid_space
from twinloop.search_space import Dimension

Kind = Literal["supervised", "simulated", "patchcore", "padim"]
Encoder = Literal[
    "resnet10t",
    "resnet18",
    "resnet34",
    "wide_resnet50_2",
    "convnext_atto",
    "convnext_tiny",
    "swin_tiny_patch4_window7_224",
    "swin_small_patch4_window7_224",
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "efficientvit_b0",
    "efficientvit_b1",
    "mobilenetv4_conv_small_035",
    "mobilenetv4_conv_small_050",
    "mobilenetv4_conv_small",
    "mobilenetv4_conv_medium",
    "tf_efficientnet_lite0",
]
# Kinds that compare features with those of good images instead of learning weights.
ONE_CLASS = ("patchcore", "padim")
WEIGHTS_FROM_HUB = "hf-hub:"
# Weights by digest from the package index, and the encoders that have such.
REGISTRY = "registry"
IN_REGISTRY = ("tf_efficientnet_lite0",)
NOT_SEARCHED = ("space", "weights")
VIT_MAPS = 4
LEAST_SIZE_PX = 32
STOCK_PATCH_PX = 16
# Families that timm builds in fixed sizes only, with what to take for a smaller one.
STOCK_ONLY = {
    "mobilenetv4": "mobilenetv4_conv_small_050, smallest mobilenetv4_conv_small_035",
    "wide_resnet": "resnet18, whose width is free",
    "tf_efficientnet": "mobilenetv4_conv_small_050",
}
STOCK_HEADS = {"swin": (3, 6, 12, 24), "vit_tiny": (3,), "vit_small": (6,)}


@settings
class SearchSpace:
    """What a study may vary: settings of the model and of its training, by name."""

    model: dict[str, Dimension] = dataclasses.field(default_factory=dict)
    train: dict[str, Dimension] = dataclasses.field(default_factory=dict)

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Every searched quantity under its dotted name, such as train.learning_rate."""
        return {f"model.{name}": dimension for name, dimension in self.model.items()} | {
            f"train.{name}": dimension for name, dimension in self.train.items()
        }


@settings
class ModelSettings:
    """A timm encoder, stock or shrunk, and what is made of its maps.

    kind: supervised (learns which defect, from masks), simulated (the same network, from good images with defects
    pasted on them), patchcore or padim (compare with good images, learn no weights). `members` networks that differ
    in their seed make an ensemble; `symmetries` says in which mirrored and turned views each judges the image (mirror:
    4, square: all 8), and their mean counts.
    Shrinking: `width` channels leave the first stage and double at each further one (in a ViT every block has them),
    `depths` and `heads` count blocks and attention heads per stage, `patch_px` is a ViT's patch; left out, the encoder
    is stock. It sees images by the training images' mean and deviation (`normalise`: dataset), or each by its own
    (image), so that exposure and contrast count no more. The heat map has one value per `heat_stride` pixels.
    `image_score` says whether an image is judged by the head, which sees all of it, by its hottest places, which
    memorise fewer of a small set's backgrounds, or by the mean of both. Images are resized to `size_px` and have
    `channels` 1 (grey) or 3 (colour); 0 leaves either to the data (`datasets.needs`). `weights` is empty (from
    nothing), a local .safetensors file, `hf-hub:` and a timm model, or `registry` (by digest from the package index,
    `registry:FOLDER` from a folder): these stay as published, and kinds that learn weights train `decoder_width` units
    on the features of stride 4 to 16.
    One-class kinds: `stages` (1 is the finest) give the features; PatchCore keeps `bank_patches` of at most
    `bank_candidates` patches and weighs an image's score with `bank_neighbours` of them; PaDiM draws at most
    `gaussian_dims` features and adds `gaussian_ridge` of their mean variance to each; `blur_px` is the deviation of the
    Gaussian that smooths the map, in image pixels.
    """

    kind: Kind = "supervised"
    members: Annotated[int, Field(ge=1, le=16)] = 1
    symmetries: Literal["none", "mirror", "square"] = "none"
    size_px: Annotated[int, Field(ge=0, le=1024, multiple_of=4)] = 96
    channels: Literal[0, 1, 3] = 1
    normalise: Literal["dataset", "image"] = "dataset"
    encoder: Encoder = "resnet10t"
    width: Annotated[int, Field(ge=4, le=4_096)] | None = 24
    depths: tuple[Annotated[int, Field(ge=1)], ...] = ()
    heads: tuple[Annotated[int, Field(ge=1)], ...] = ()
    patch_px: Literal[4, 8, 16] | None = None
    decoder_width: Annotated[int, Field(ge=4, le=4_096)] = 48
    heat_stride: Literal[1, 2, 4] = 2
    image_score: Literal["head", "heat", "both"] = "head"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weights: str = ""
    stages: tuple[Annotated[int, Field(ge=1, le=64)], ...] = (1, 2)
    bank_patches: Annotated[int, Field(ge=2, le=1_000_000)] = 1000
    bank_candidates: Annotated[int, Field(ge=2, le=10_000_000)] = 20_000
    bank_neighbours: Annotated[int, Field(ge=1, le=10_000)] = 9
    gaussian_dims: Annotated[int, Field(ge=1, le=1000)] = 50
    gaussian_ridge: Annotated[float, Field(gt=0)] = 0.1
    blur_px: Annotated[float, Field(ge=0, le=32)] = 2.0
    space: SearchSpace = SearchSpace()

    def __post_init__(self) -> None:
        for fault in (*_encoder_faults(self), *_kind_faults(self)):
            raise ValueError(fault)
        bare = self if self.space == SearchSpace() else dataclasses.replace(self, space=SearchSpace())
        require_valid_space(bare, self.space.model, name="space.model", fixed=NOT_SEARCHED)

    @property
    def grid_px(self) -> int:
        """The image's side must be a multiple of this: a ViT's patch, else the decoder's 4."""
        return (self.patch_px or STOCK_PATCH_PX) if self.encoder.startswith("vit") else 4

    @property
    def pretrained(self) -> bool:
        """Whether the encoder's weights come from the registry."""
        return self.weights == REGISTRY or self.weights.startswith(f"{REGISTRY}:")

    @property
    def frozen(self) -> bool:
        """Whether only a small network on the features of a pretrained encoder learns."""
        return self.pretrained and self.kind not in ONE_CLASS

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """What a study varies; nothing where the encoder is frozen, whose few units need no search."""
        return {} if self.frozen else self.space.dimensions

    @property
    def weights_file(self) -> str:
        """The safetensors file that holds the weights of the encoder; empty where there is none yet."""
        path = self.weights.removeprefix(f"{REGISTRY}:")
        return path if path.endswith(".safetensors") else ""

    @property
    def weights_folder(self) -> str:
        """The folder that the user names for weights of the registry; empty where none is named."""
        named = self.weights.partition(":")[2] if self.pretrained else ""
        return "" if named.endswith(".safetensors") else named

    @property
    def alone(self) -> "ModelSettings":
        """One network that sees every image once: what is trained."""
        return dataclasses.replace(self, members=1, symmetries="none")

    @property
    def maps(self) -> int:
        """How many feature maps the encoder has."""
        if self.encoder.startswith("swin"):
            return len(self.depths) or 4
        if self.encoder.startswith("vit"):
            return min(VIT_MAPS, *self.depths) if self.depths else VIT_MAPS
        return 4


def _encoder_faults(model: ModelSettings) -> Iterator[str]:
    name, width, depths, heads = model.encoder, model.width, model.depths, model.heads
    swin, vit = name.startswith("swin"), name.startswith("vit")
    for prefix, instead in STOCK_ONLY.items():
        if name.startswith(prefix) and (width or depths):
            yield f"timm has no arguments that shrink {name}: leave width null and depths []; smaller is {instead}"
    if heads and not (swin or vit):
        yield f"heads belong to swin and vit encoders, not to {name}; leave them out"
    if model.patch_px and not vit:
        yield f"patch_px belongs to vit encoders, not to {name}; leave it null"
    if swin and len(heads) != len(depths):
        yield "a shrunk swin needs depths and heads of the same length"
    if vit and (len(depths) > 1 or len(heads) > 1):
        yield "a vit is one stage: depths and heads need one number each, or none"
    if not (swin or vit) and len(depths) not in (0, 4):
        yield f"{name} has four stages: depths needs four numbers"
    stock = next((counts for prefix, counts in STOCK_HEADS.items() if name.startswith(prefix)), ())
    for stage, count in enumerate(heads or stock):
        if width and width * 2**stage % count:
            yield f"{width * 2**stage} channels of stage {stage + 1} must be divisible by its {count} heads"
    if 0 < model.size_px < LEAST_SIZE_PX:
        yield f"expected size_px 0 (as the data need) or at least {LEAST_SIZE_PX}, not {model.size_px}"
    if model.size_px % model.grid_px:
        yield f"{name} needs a size_px that is a multiple of {model.grid_px}, not {model.size_px}"
    if model.pretrained and name not in IN_REGISTRY:
        yield (
            f"the registry has no weights of {name}, but of {', '.join(IN_REGISTRY)}: factory/weights=registry sets "
            "encoder and weights, factory/weights=none does without"
        )
    known = model.pretrained or model.weights.startswith(WEIGHTS_FROM_HUB) or model.weights.endswith(".safetensors")
    if model.weights and not known:
        yield "expected registry, a .safetensors file or hf-hub:owner/name; other formats may run code when read"


def _kind_faults(model: ModelSettings) -> Iterator[str]:
    if model.frozen and model.members > 1:
        yield "members differ by what they learnt, and weights of the registry stay as they are: members must be 1"
    if model.frozen and model.heat_stride != 4:
        yield f"weights of the registry are judged at stride 4: heat_stride must be 4, not {model.heat_stride}"
    if model.kind not in ONE_CLASS:
        return
    if model.symmetries != "none":
        yield f"symmetries are for networks that learnt them; {model.kind} learns no weights: symmetries must be none"
    if model.members > 1:
        yield f"members differ by what they learnt, and {model.kind} learns no weights: members must be 1"
    if not model.stages or list(model.stages) != sorted(set(model.stages)) or model.stages[-1] > model.maps:
        yield f"stages {list(model.stages)}: expected rising numbers from 1 to {model.maps} ({model.encoder})"
    if model.kind == "patchcore" and not model.bank_neighbours <= model.bank_patches <= model.bank_candidates:
        yield "expected bank_neighbours ≤ bank_patches ≤ bank_candidates"
