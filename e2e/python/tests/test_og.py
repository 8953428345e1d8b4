"""What pages say of themselves."""

import contextlib
import http.server
import threading

import pytest
from stream.exceptions import InputException

PAGE = b"""<title>Ducks</title><meta property="og:description" content="All &amp; more">
<meta property="og:image" content="/duck.png">"""


@contextlib.contextmanager
def serving(page, kind="text/html"):
    """An address of this machine where this page is."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_page_tells_its_title_its_text_and_its_picture(pond):
    with serving(PAGE) as url:
        page = pond.client.og(url)
    assert page["title"] == "Ducks"
    assert page["description"] == "All & more"
    assert page["images"] == [{"image": f"{url}duck.png", "url": f"{url}duck.png"}]
    assert page["original_url"] == url


def test_a_page_that_says_nothing_is_refused(pond):
    for page, kind in [(b"<p>nothing", "text/html"), (b"{}", "application/json")]:
        with serving(page, kind) as url, pytest.raises(InputException) as refusal:
            pond.client.og(url)
        assert "couldn't find og data for the provided url" in str(refusal.value)


def test_an_address_that_is_nobodys_business_is_refused(pond):
    for url in ["http://169.254.169.254/", "http://10.0.0.1/", "http://[fd00::1]/", "no address"]:
        with pytest.raises(InputException):
            pond.client.og(url)
