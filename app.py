"""Build the page and serve it. Gradio reads GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and GRADIO_ROOT_PATH."""

import os

# Before gradio is imported: it sends usage data from the moment a page is built.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from mmdemo.ui.shell import layout, server

mcp = server.read_options(__doc__) if __name__ == "__main__" else None
demo = server.built(layout.build)

if __name__ == "__main__":
    server.serve(demo, layout.launch_settings(), mcp)
