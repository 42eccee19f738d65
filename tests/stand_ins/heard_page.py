"""A browser's page that is listened to."""


def heard(page, troubles: list[str]):
    """The page; warnings, errors, failed requests and requests to elsewhere are written down."""

    def said(message) -> None:
        if message.type in ("error", "warning"):
            troubles.append(message.text)

    def asked(request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            troubles.append(f"asked for {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on("request", asked)
    return page
