"""The shop's systems of the demo: a small HTTP service that the flows `order_status` and `book_appointment` ask. All invented."""

from datetime import UTC, date, datetime, timedelta

from aiohttp import web

ORDERS = {
    ("CL12345", "1100-001"): ("sent", 2),
    ("CL12346", "1100-001"): ("packing", 5),
    ("CL12347", "1100-001"): ("arrived", -1),
    ("CL12348", "1100-001"): ("lost", -6),
    ("CL98761", "4050-012"): ("sent", 3),
}
"""(order number, postcode) to (state, days from today)."""


SUNDAY = 6


def order_routes() -> list[web.RouteDef]:
    """`POST /orders/find` with `number` and `postcode`: the order's state, or 404 when the two do not belong together.

    `POST /times/check` with `day` and `at`: a free `slot`, or 404 on Sundays and when it is taken; `POST /times/book` takes it, once (409).
    """

    async def find(request: web.Request) -> web.Response:
        asked = await request.json()
        key = (str(asked.get("number", "")).strip().upper(), str(asked.get("postcode", "")).strip())
        order = ORDERS.get(key)
        if order is None:
            return web.json_response({"error": "no such order"}, status=404)
        state, days = order
        expected = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        return web.json_response({"status": state, "expected": expected})

    booked: set[str] = set()

    async def check(request: web.Request) -> web.Response:
        asked = await request.json()
        day, at = str(asked.get("day", "")), str(asked.get("at", ""))[:5]
        slot = f"{day}T{at}"
        closed = date.fromisoformat(day).weekday() == SUNDAY
        if closed or slot in booked:
            return web.json_response({"error": "nothing free"}, status=404)
        return web.json_response({"slot": slot})

    async def book(request: web.Request) -> web.Response:
        slot = str((await request.json()).get("slot", ""))
        if slot in booked:
            return web.json_response({"error": "taken"}, status=409)
        booked.add(slot)
        return web.json_response({})

    return [web.post("/orders/find", find), web.post("/times/check", check), web.post("/times/book", book)]
