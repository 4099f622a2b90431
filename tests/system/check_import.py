#!/usr/bin/env python3
"""Recomputes what an import of Online Retail must come to, from the file alone.

    check_import.py online_retail.csv[.xz] [RESULT.json]

Prints the figures as JSON; with the result of `guilder purchase import -o json` it compares, and fails where they differ.
Shares no code with the product: whole numbers and fractions, one pass over receipts, one over cancellations.

The file's facts: an invoice is an order; a number that begins with C is a cancellation, with quantities below zero, which
names no invoice; rows without a customer were bought without a card. The rule: one point for each full 1.00 of what is no
postage, charge, correction or voucher, shared over the lines by largest remainder.
"""
import collections
import csv
import json
import lzma
import sys
from decimal import ROUND_HALF_UP, Decimal

NOT_GOODS = {"POST", "D", "M", "m", "BANK CHARGES", "C2", "DOT", "CRUK", "PADS", "AMAZONFEE", "S", "B"}
MAX_LINES = 500
MINOR_UNITS_PER_POINT = 100


def minor_units(quantity, price):
    return int((quantity * Decimal(price) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def moment(text):
    day, clock = text.split(" ")
    month, date, year = map(int, day.split("/"))
    hour, minute = map(int, clock.split(":"))
    return (year, month, date, hour, minute)


def read_invoices(path):
    opened = lzma.open(path, "rt", encoding="utf-8", newline="") if path.endswith(".xz") else open(path, encoding="utf-8", newline="")
    invoices = {}
    with opened as file:
        for number, row in enumerate(csv.DictReader(file)):
            quantity = int(row["Quantity"])
            line = (number, row["StockCode"], quantity, row["UnitPrice"], minor_units(quantity, row["UnitPrice"]))
            at = moment(row["InvoiceDate"])
            invoice = invoices.setdefault(row["InvoiceNo"], {"number": row["InvoiceNo"], "customer": row["CustomerID"],
                                                             "at": at, "lines": []})
            invoice["at"] = min(invoice["at"], at)
            invoice["lines"].append(line)
    return list(invoices.values())


def points_of_lines(lines):
    """Of goods; largest remainder, ties to the first line."""
    weights = [0 if code in NOT_GOODS or code.startswith("gift_") else amount for _, code, _, _, amount in lines]
    total = sum(weights)
    if total == 0:
        return [0] * len(lines)
    points = total // MINOR_UNITS_PER_POINT
    shares = [points * weight // total for weight in weights]
    by_fraction = sorted(range(len(lines)), key=lambda i: (-(points * weights[i] % total), i))
    for i in by_fraction[: points - sum(shares)]:
        shares[i] += 1
    return shares


class Tally:
    def __init__(self):
        self.by_reason = collections.defaultdict(lambda: {"items": 0, "lines": 0})

    def add(self, reason, lines):
        self.by_reason[reason]["items"] += 1
        self.by_reason[reason]["lines"] += lines


def recompute(path):
    invoices = read_invoices(path)
    rows = sum(len(invoice["lines"]) for invoice in invoices)
    skipped = sum(line[4] == 0 for invoice in invoices for line in invoice["lines"])
    rejected, parked = Tally(), Tally()
    purchases = returns = issued = 0
    sold = {}  # (invoice, place) -> [quantity, points, returned], of what was recorded
    for place, invoice in enumerate(invoices):
        invoice["place"] = place
        invoice["lines"] = [line for line in invoice["lines"] if line[4] != 0]
        if invoice["number"].startswith("C"):
            continue
        for begin in range(0, len(invoice["lines"]), MAX_LINES):
            part = invoice["lines"][begin : begin + MAX_LINES]
            if any(quantity < 1 or amount < 1 for _, _, quantity, _, amount in part):
                rejected.add("AMOUNT_OUT_OF_RANGE", len(part))
            elif not invoice["customer"]:
                rejected.add("CARD_MISSING", len(part))
            else:
                purchases += 1
                points = points_of_lines(part)
                issued += sum(points)
                for i, line in enumerate(part):
                    sold[(invoice["number"], begin + i)] = [line[2], points[i], 0]

    open_sales = collections.defaultdict(list)  # (customer, code, price) -> [[invoice, place, quantity]]
    for invoice in sorted(invoices, key=lambda invoice: (invoice["at"], invoice["place"])):
        customer = invoice["customer"]
        if not invoice["number"].startswith("C"):
            for i, (_, code, quantity, price, _) in enumerate(invoice["lines"]):
                if customer:
                    open_sales[(customer, code, Decimal(price))].append([invoice["number"], i, quantity])
            continue
        found = collections.defaultdict(set)  # sale, or None -> rows
        for number, code, quantity, price, _ in invoice["lines"]:
            left = abs(quantity)
            sales = open_sales[(customer, code, Decimal(price))] if customer else []
            while left and sales:
                taken = min(left, sales[-1][2])
                sale, place = sales[-1][:2]
                found[(sale, place // MAX_LINES)].add(number)
                if (sale, place) in sold:
                    sold[(sale, place)][2] += taken
                left -= taken
                sales[-1][2] -= taken
                if sales[-1][2] == 0:
                    sales.pop()
            if left:
                found[None].add(number)
        for sale, numbers in found.items():
            recorded = sale is not None and (sale[0], sale[1] * MAX_LINES) in sold
            if recorded:
                returns += 1
            else:
                parked.add("RETURN_PARKED", len(numbers))
    reversed_points = sum(points * returned // quantity for quantity, points, returned in sold.values())
    return {"lines": rows, "lines_skipped": skipped, "purchases": purchases, "points_issued": issued, "returns": returns,
            "points_reversed": reversed_points, "rejected": dict(rejected.by_reason), "parked": dict(parked.by_reason)}


def main():
    expected = recompute(sys.argv[1])
    print(json.dumps(expected, indent=2))
    if len(sys.argv) < 3:
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        result = json.load(file)
    different = [name for name in expected if result.get(name) != expected[name]]
    for name in different:
        print(f"{name}: the import has {result.get(name)}, recomputed {expected[name]}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
