"""Example posts that may be given away: public-domain photos from our requirements, tweets of our own."""

import base64
import io
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from mmdemo.ui.shell.safe import safe

THUMBNAIL = 160  # pixels; twice what is shown, for dense screens


@dataclass(frozen=True, kw_only=True)
class Example:
    """A photo inside an installed package, where it comes from, and a tweet for each task."""

    title: str
    package: str
    file: str
    alt: str
    credit: str
    texts: dict[str, str]

    @property
    def path(self) -> Path | None:
        """The photo on this machine; None where the package came without it."""
        spec = find_spec(self.package)
        for folder in spec.submodule_search_locations or [] if spec else []:
            if (path := Path(folder) / self.file).is_file():
                return path
        return None


EXAMPLES: tuple[Example, ...] = (
    Example(
        title="Grace Hopper",
        package="matplotlib",
        file="mpl-data/sample_data/grace_hopper.jpg",
        alt="Portrait of Grace Hopper in the uniform of a US Navy officer",
        credit="US Navy photo, public domain, from matplotlib",
        texts={
            "ner": "Happy birthday Grace Hopper ! She taught computers English at Remington Rand "
            "and retired a rear admiral of the US Navy #COBOL",
            "re": "RT @museum: [E1] Grace Hopper [/E1] , rear admiral of the [E2] US Navy [/E2] , "
            "portrait of 1984",
        },
    ),
    Example(
        title="Eileen Collins",
        package="skimage",
        file="data/astronaut.png",
        alt="Astronaut Eileen Collins in an orange suit before a flag and a Space Shuttle model",
        credit="NASA photo, public domain, from scikit-image",
        texts={
            "ner": "Eileen Collins , first woman to pilot the Space Shuttle , back in Houston "
            "for a talk at NASA #women",
            "re": "Pilot [E1] Eileen Collins [/E1] smiles for the official [E2] NASA [/E2] portrait #space",
        },
    ),
    Example(
        title="Falcon 9",
        package="skimage",
        file="data/rocket.jpg",
        alt="A rocket rises from its launch pad on a column of fire",
        credit="SpaceX photo, CC0, from scikit-image",
        texts={
            "ner": "Liftoff ! SpaceX sends DSCOVR to space from Cape Canaveral , Florida #Falcon9",
            "re": "[E1] SpaceX [/E1] team at its launch pad in [E2] Cape Canaveral [/E2] tonight #Falcon9",
        },
    ),
)


@cache
def available() -> tuple[tuple[Example, Path], ...]:
    """The examples whose photo is on this machine, with its path."""
    return tuple((example, path) for example in EXAMPLES if (path := example.path))


def figure_html(example: Example, path: Path) -> str:
    """A small picture with its name, source and licence. The picture travels inside the page."""
    with Image.open(path) as photo:
        small = photo.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    source = base64.b64encode(data.getvalue()).decode("ascii")
    return (
        f'<figure class="mm-example"><img src="data:image/jpeg;base64,{source}" alt="{safe(example.alt)}">'
        f"<figcaption><b>{safe(example.title)}</b><span>{safe(example.credit)}</span></figcaption></figure>"
    )
