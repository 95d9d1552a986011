"""The shop's order system of the demo: a small HTTP service that the flow `order_status` asks. Invented orders only."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

ORDERS = {
    ("CL12345", "1100-001"): ("sent", 2),
    ("CL12346", "1100-001"): ("packing", 5),
    ("CL12347", "1100-001"): ("arrived", -1),
    ("CL12348", "1100-001"): ("lost", -6),
    ("CL98761", "4050-012"): ("sent", 3),
}
"""(order number, postcode) to (state, days from today)."""


def order_routes() -> list[web.RouteDef]:
    """`POST /orders/find` with `number` and `postcode`: the order's state, or 404 when the two do not belong together."""

    async def find(request: web.Request) -> web.Response:
        asked = await request.json()
        key = (str(asked.get("number", "")).strip().upper(), str(asked.get("postcode", "")).strip())
        order = ORDERS.get(key)
        if order is None:
            return web.json_response({"error": "no such order"}, status=404)
        state, days = order
        expected = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        return web.json_response({"status": state, "expected": expected})

    return [web.post("/orders/find", find)]
