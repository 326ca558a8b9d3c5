"""Parts of a notebook that the page shows in a form of its own: claims, live figures, the cell that Colab needs."""

import json
import re

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxTranslator

logger = logging.getLogger(__name__)

VIEW = "application/vnd.jupyter.widget-view+json"

# ✓ adam-first-step: Adam's first step is the learning rate. (0.1)      the evidence may itself hold parentheses
CLAIM = re.compile(
    r"✓ (?P<id>[a-z0-9]+(?:-[a-z0-9]+)*): (?P<statement>.+?)"
    r"(?: \((?P<evidence>[^()]*(?:\([^()]*\)[^()]*)*)\))?"
)


class RemoveColabCell(SphinxTransform):
    """Leave out the cell that installs lrlib in Colab: it does nothing anywhere else."""

    default_priority = 300

    def apply(self, **kwargs):
        for cell in list(self.document.findall(nodes.container)):
            if "tag_colab" in cell["classes"]:
                cell.parent.remove(cell)


class AnchorClaims(SphinxTransform):
    """Turn the lines that `lrlib.claim` prints into a list with an anchor, ``claim-ID``, for each."""

    default_priority = 310  # before links to anchors are resolved

    def apply(self, **kwargs):
        for block in list(self.document.findall(nodes.literal_block)):
            if "stream" in block["classes"]:
                place = block.parent.index(block)
                block.parent[place : place + 1] = self.split(block)

    def split(self, block):
        """Return the nodes for `block`: a list for each run of claims, a literal block for each run of other lines."""
        parts, other, found = [], [], False

        def end_other():
            text = "\n".join(other).strip("\n")
            if text:
                part = block.copy()
                part.rawsource = text
                part += nodes.Text(text)
                parts.append(part)
            other.clear()

        for line in block.astext().splitlines():
            claim = CLAIM.fullmatch(line.rstrip())
            if claim is None:
                other.append(line)
                continue
            found = True
            end_other()
            if not parts or not isinstance(parts[-1], nodes.bullet_list):
                parts.append(nodes.bullet_list(classes=["claims", "simple"]))
            parts[-1] += self.item(claim, block)
        end_other()
        return parts if found else [block]

    def item(self, claim, block):
        """Return the list item for one claim and make its anchor known to Sphinx, so that any page may link to it."""
        anchor = f"claim-{claim['id']}"
        if anchor in self.document.nameids:
            logger.warning("claim %r stands twice on this page", claim["id"], location=block, type="claim")
        paragraph = nodes.paragraph(
            "",
            "",
            nodes.inline("✓", "✓", classes=["claim-mark"]),
            nodes.Text(f" {claim['statement']} "),
        )
        if claim["evidence"]:
            paragraph += [nodes.inline("", claim["evidence"], classes=["claim-evidence"]), nodes.Text(" ")]
        paragraph += nodes.reference("", claim["id"], refid=anchor, classes=["claim-id"])
        item = nodes.list_item("", paragraph, names=[anchor])
        self.document.note_explicit_target(item)
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        slugs[anchor] = (block.line, anchor, claim["statement"])
        return item


class live_figure(nodes.General, nodes.Element):
    """A still image that the page's runtime replaces by the figure it shows; `model_id` names the figure's state."""


class ShowFigures(SphinxPostTransform):
    """Give each figure its alternative text; show a widget's still image where the widget can take its place."""

    default_priority = 3  # MyST-NB picks one of the output's formats at 4

    def run(self, **kwargs):
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            formats = {part["mime_type"]: part for part in bundle.children}
            if "image/png" in formats:
                self.describe(formats["image/png"][0], formats.get("text/plain"))
            if VIEW in formats:
                bundle.replace_self(self.live(formats, bundle))

    def describe(self, image, text):
        """Where the cell's metadata gives no alternative text, take what the figure says of itself."""
        words = text.astext() if text is not None else "<"
        if "alt" not in image and not words.startswith("<"):  # <Figure size 640x480 with 1 Axes> says nothing
            image["alt"] = words
        if "alt" not in image:
            logger.warning("a figure needs alternative text", location=image, type="figure")

    def live(self, formats, bundle):
        """Return the node for a widget, with its still image inside."""
        view = re.search(r"\{.*\}", formats[VIEW].astext(), re.DOTALL)
        figure = live_figure(model_id=json.loads(view[0])["model_id"])
        if "image/png" in formats:
            figure += formats["image/png"][0].deepcopy()
        else:
            logger.warning("a live figure needs a still image beside it", location=bundle, type="figure")
        return figure


def visit_live_figure(self: SphinxTranslator, node):
    self.body.append(f'<div class="live" data-model-id="{self.attval(node["model_id"])}">')


def depart_live_figure(self: SphinxTranslator, node):
    self.body.append("</div>\n")


def no_widget_manager(app, config):
    """MyST-NB would add require.js and the widget manager from a CDN to pages with widgets."""
    config.nb_ipywidgets_js = {}


def setup(app):
    app.add_node(live_figure, html=(visit_live_figure, depart_live_figure))
    app.add_transform(RemoveColabCell)
    app.add_transform(AnchorClaims)
    app.add_post_transform(ShowFigures)
    app.connect("config-inited", no_widget_manager)
