"""python -m minireg.demo: draw two digits in the browser, and see one bent onto the other."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import os
import socket
import sys
import threading

from minireg import backend, command
from minireg.data import load_digits
from minireg.demo.network import NETWORK
from minireg.demo.page import FONTS, STYLE, page
from minireg.demo.registering import Registrar
from minireg.errors import InputError
from minireg.training import load_network

LARGEST_UPLOAD = "1mb"  # nothing is uploaded as a file; what is drawn comes as text


def main(argv=None):
    """The command line: parse, serve until Ctrl-C. Returns the exit code."""
    return command.run("minireg.demo", lambda: _serve(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.demo", "Draw two digits in the browser, and see one bent onto the other.")
    add = parser.add_argument
    add(
        "--checkpoint",
        metavar="FILE",
        help="checkpoint.npz of a run folder (default: a small network that comes along)",
    )
    add("--port", type=int, metavar="N", help="of the page's address (default: the first that is free from 7860 on)")
    add(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="0.0.0.0 lets other computers of the network see the page (default: this computer alone)",
    )
    return parser.parse_args(argv)


def _serve(args):
    _require_gradio()
    _refuse_unusable(args.host, args.port)
    backend.use(args.backend)
    network, configuration = load_network(args.checkpoint or NETWORK)
    registrar = Registrar(network, configuration.loss)
    blocks = page(registrar, load_digits(download=False))
    # gradio asks for its own page before it is ready: a proxy would look for it elsewhere.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost", args.host]))
    _, address, _ = launch(blocks, args.host, args.port)
    print(f"The demo is at {address} (Ctrl-C ends it)", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nThe demo has ended")
    finally:
        blocks.close(verbose=False)


def launch(blocks, host="127.0.0.1", port=None):
    """Serve a page, and return at once: gradio's app, the address, and None. Nothing is fetched from elsewhere."""
    import gradio

    return blocks.launch(
        server_name=host,
        server_port=port,
        theme=gradio.themes.Default(**FONTS),
        css=STYLE,
        prevent_thread_lock=True,
        inbrowser=False,
        share=False,
        quiet=True,
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_file_size=LARGEST_UPLOAD,
    )


def _require_gradio():
    try:
        from gradio import Blocks  # noqa: F401  (any folder of that name could be imported, but has no Blocks)
    except ImportError:
        raise InputError("the demo needs gradio: python -m pip install 'minireg[demo]'") from None


def _refuse_unusable(host, port):
    """Raise InputError where no page can be served at the port, or, without one, at the host."""
    try:
        socket.create_server((host, port or 0)).close()
    except (OSError, OverflowError, UnicodeError):
        at = f"--host {host}" + (f" --port {port}" if port is not None else "")
        raise InputError(
            f"the page cannot be served at {at}: the port is in use or not one of 1 to 65535, or this computer has no "
            "such address; leave both out, or name others"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
