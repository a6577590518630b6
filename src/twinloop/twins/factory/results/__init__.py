"""What the factory's stages found out, in the shape in which figures and tables take it; notebooks read nothing else.

One class per page of the report. Each reads what it needs when it is asked.
"""

from twinloop.twins.factory.results.explanation import Explanation
from twinloop.twins.factory.results.floor import ShopFloor
from twinloop.twins.factory.results.images import Images
from twinloop.twins.factory.results.instrument import Instrument
from twinloop.twins.factory.results.line import ProductionLine
from twinloop.twins.factory.results.model import Deployment, Training
from twinloop.twins.factory.results.orders import Orders
from twinloop.twins.factory.results.search import Search

__all__ = [
    "Deployment",
    "Explanation",
    "Images",
    "Instrument",
    "Orders",
    "ProductionLine",
    "Search",
    "ShopFloor",
    "Training",
]
