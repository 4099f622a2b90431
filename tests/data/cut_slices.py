#!/usr/bin/env python3
"""Cuts the slices of purchase data that this folder ships out of the complete files.

  cut_slices.py TRANSACTIONS PRODUCTS ONLINE_RETAIL OUT_DIRECTORY

Reads CSV, plain or .xz. Lines are copied byte for byte and stay in their order, so whatever reads a slice reads
the complete file too. The same input gives the same output.

Complete Journey: the transactions as they are; of the products those that were bought, and three columns of them.

Online Retail, cut by customer so that sales and their cancellations stay together:
 1. every line of the customers that cancelled something and whose id's CRC-32 is below SHARE_OF_CUSTOMERS per mille;
 2. every line of the customer with the fewest lines who has a row of each odd kind (see odd_kinds);
 3. of the invoices without a customer, those whose number's CRC-32 is below SHARE_OF_INVOICES per mille, and the
    two with the fewest lines of each odd kind.
"""

import collections
import csv
import io
import lzma
import pathlib
import sys
import zlib

SHARE_OF_CUSTOMERS = 150
SHARE_OF_INVOICES = 15
PRODUCT_COLUMNS = ["product_id", "department", "product_category"]


def read(path):
    data = pathlib.Path(path).read_bytes()
    return lzma.decompress(data) if data.startswith(b"\xfd7zXZ\x00") else data


def write(path, data):
    path.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    print(f"{path.name}: {data.count(10) - 1} lines, {path.stat().st_size} bytes")


def per_mille(text):
    return zlib.crc32(text.encode()) % 1000


def cut_products(transactions, products):
    bought = {row["product_id"] for row in csv.DictReader(io.StringIO(transactions.decode()))}
    out = io.StringIO()
    writer = csv.DictWriter(out, PRODUCT_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    rows = (row for row in csv.DictReader(io.StringIO(products.decode())) if row["product_id"] in bought)
    writer.writerows(sorted(rows, key=lambda row: int(row["product_id"])))
    return out.getvalue().encode()


def odd_kinds(row):
    """What is odd about a row: not goods (by code, sold or cancelled), no price, a negative price."""
    side = "cancelled" if row["InvoiceNo"].startswith("C") else "sold"
    code = row["StockCode"]
    if not code[:5].isdigit() and not code.startswith("DCGS"):
        yield code, side
    if float(row["UnitPrice"]) == 0:
        yield "no price", "taken out" if int(row["Quantity"]) < 0 else side
    if float(row["UnitPrice"]) < 0:
        yield "negative price", side


def cut_online_retail(data):
    lines = data.decode("utf-8").splitlines(keepends=True)
    rows = list(csv.DictReader(lines))
    if len(rows) + 1 != len(lines):
        sys.exit("a record spans several lines")

    size = collections.Counter()  # Lines of a customer, or of an invoice without a customer.
    cancelled = set()
    odd = collections.defaultdict(set)
    for row in rows:
        key = (row["CustomerID"], "") if row["CustomerID"] else ("", row["InvoiceNo"])
        size[key] += 1
        if row["CustomerID"] and row["InvoiceNo"].startswith("C"):
            cancelled.add(key)
        for kind in odd_kinds(row):
            odd[kind, bool(row["CustomerID"])].add(key)

    chosen = {key for key in cancelled if per_mille(key[0]) < SHARE_OF_CUSTOMERS}
    chosen |= {key for key in size if not key[0] and per_mille(key[1]) < SHARE_OF_INVOICES}
    for (_, with_customer), keys in odd.items():
        chosen |= set(sorted(keys, key=lambda key: (size[key], key))[: 1 if with_customer else 2])
    kept = [
        line
        for line, row in zip(lines[1:], rows)
        if ((row["CustomerID"], "") if row["CustomerID"] else ("", row["InvoiceNo"])) in chosen
    ]
    return "".join(lines[:1] + kept).encode()


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    transactions, products, online_retail = (read(path) for path in sys.argv[1:4])
    out = pathlib.Path(sys.argv[4])
    write(out / "completejourney_transactions.csv.xz", transactions)
    write(out / "completejourney_products.csv.xz", cut_products(transactions, products))
    write(out / "online_retail.csv.xz", cut_online_retail(online_retail))


if __name__ == "__main__":
    main()
