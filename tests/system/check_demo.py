#!/usr/bin/env python3
"""Recomputes what `guilder demo -o json` says, from the purchase data and the contracts' rates alone.

  check_demo.py DEMO_JSON [--data DIRECTORY] [--purchases FILE]

Shares no code with the product: receipts, points, returns, money and tax are worked out here again, in exact
fractions. Prints a line for each check; exits 1 when one fails.

Read of the JSON, besides the demonstration's counts and totals:

  per_partner[]: key, points_*, *_minor_units,
    contracts: {issuance:   {rate_micros, tax_ppm, prepaid_points},
                redemption: {rate_micros, tax_ppm, fee_ppm, fee_micros_per_point, fee_tax_ppm}}, either may be absent
    earn:      {points, per_minor_units}; absent for a partner without purchases
  welcome:          {partner: KEY, points_per_member}
  redemptions_file: CSV partner,member,points,refunded_points,kind: one line for each captured redemption

`points_redeemed` is without what was refunded; `tax_minor_units` is what the partner pays as tax, on issuance and
fee, less the tax on the reimbursement that it is paid: net = reimbursement - issuance - point blocks - fee - tax.
Contracts must have one version and bill at posting. A partner with prepaid points pays for all of them: its issuance is
settled at nothing, and it issues no more than those points.
"""

import argparse
import collections
import csv
import datetime
import io
import json
import lzma
import pathlib
import sys
import xml.etree.ElementTree
from fractions import Fraction

MAX_LINES_PER_RECEIPT = 500
CURRENCY_EXPONENT = 2
BARS = {"lines_read": 60_000, "purchases": 10_000, "returns": 300, "redemptions": 500}
MIN_PARTNERS = 10

DEPARTMENTS = {
    "grocery": ["GROCERY", "FROZEN GROCERY"],
    "drugstore": ["DRUG GM"],
    "greengrocer": ["PRODUCE"],
    "butcher": ["MEAT", "MEAT-PCKGD", "PORK"],
    "deli": ["DELI", "DAIRY DELI", "DELI/SNACK BAR"],
    "bakery": ["PASTRY", "BAKERY"],
    "health-food": ["NUTRITION"],
    "fuel": ["FUEL"],
    "fishmonger": ["SEAFOOD", "SEAFOOD-PCKGD"],
    "restaurant": ["RESTAURANT", "SALAD BAR", "CHEF SHOPPE"],
    "cosmetics": ["COSMETICS"],
    "florist": ["FLORAL", "GARDEN CENTER"],
    "spirits": ["SPIRITS"],
    "travel": ["TRAVEL & LEISURE"],
}
PARTNER_OF_DEPARTMENT = {name: key for key, names in DEPARTMENTS.items() for name in names}
GENERAL_STORE = "general-store"
WEB_SHOP = "web-shop"
NOT_GOODS = {"POST", "D", "M", "m", "BANK CHARGES", "C2", "DOT", "CRUK", "PADS", "AMAZONFEE", "S", "B"}


def round_half_away(value):
    """A Fraction to the nearest integer, halves away from zero."""
    doubled = abs(value) * 2 + 1
    magnitude = doubled.numerator // (2 * doubled.denominator)
    return magnitude if value >= 0 else -magnitude


def minor_units(value):
    return round_half_away(value * 10**CURRENCY_EXPONENT)


def price_of(points, rate_micros):
    return minor_units(Fraction(points * rate_micros, 10**6))


def share_of(amount, ppm):
    return round_half_away(Fraction(amount * ppm, 10**6))


class Line:
    """A line of a receipt: what was paid, whether it can earn, what it earned, how much came back."""

    def __init__(self, quantity, amount, earns):
        self.quantity, self.amount, self.earns = quantity, amount, earns
        self.points = self.returned = 0

    def is_good(self):
        return self.quantity > 0 and self.amount > 0

    def give_back(self, quantity):
        """Returns the points that this takes back: in total floor(points × returned ÷ quantity)."""
        before = self.points * self.returned // self.quantity
        self.returned += quantity
        return self.points * self.returned // self.quantity - before


class Receipt:
    def __init__(self, partner, member, lines):
        self.partner, self.member, self.lines = partner, member, lines

    def earn(self, points, per_minor_units):
        """`points` for each full amount of the eligible lines, shared by largest remainder, first line first."""
        eligible = [line for line in self.lines if line.earns]
        paid = sum(line.amount for line in eligible)
        total = paid // per_minor_units * points
        if total == 0:
            return
        for line in eligible:
            line.points = total * line.amount // paid
        rest = total - sum(line.points for line in eligible)
        by_remainder = sorted(eligible, key=lambda line: -(total * line.amount % paid))
        for line in by_remainder[:rest]:
            line.points += 1


class Work:
    """What the tills sent, and how the rows of the files were counted."""

    def __init__(self):
        self.lines_read = 0
        self.receipts = []  # Recorded ones only.
        self.refused = collections.Counter()  # Receipts by reason.
        self.not_goods_lines = 0
        self.returns = []  # Each a list of (receipt, line, quantity), for one receipt.
        self.parked_returns = 0
        self.members = set()

    def add_receipt(self, partner, member, lines):
        """Sets refused lines apart, cuts long receipts; gives the receipt of each good line."""
        if any(not line.is_good() for line in lines):
            bad = sum(not line.is_good() for line in lines)
            self.refused["AMOUNT_OUT_OF_RANGE"] += -(-bad // MAX_LINES_PER_RECEIPT)
        good = [line for line in lines if line.is_good()]
        receipt_of = {}
        for start in range(0, len(good), MAX_LINES_PER_RECEIPT):
            part = good[start : start + MAX_LINES_PER_RECEIPT]
            if member is None:
                self.refused["CARD_MISSING"] += 1
                continue
            receipt = Receipt(partner, member, part)
            self.receipts.append(receipt)
            self.not_goods_lines += sum(not line.earns for line in part)
            receipt_of.update((id(line), receipt) for line in part)
        return receipt_of


def records(path):
    data = pathlib.Path(path).read_bytes()
    if data.startswith(b"\xfd7zXZ\x00"):
        data = lzma.decompress(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return csv.DictReader(io.StringIO(text, newline=""))


def add_complete_journey(work, transactions, products):
    """A receipt is a partner, store, household and basket. Gives the households, by number."""
    partner_of_product = {
        row["product_id"]: PARTNER_OF_DEPARTMENT.get(row["department"], GENERAL_STORE) for row in records(products)
    }
    baskets = collections.defaultdict(list)
    households = set()
    for row in records(transactions):
        work.lines_read += 1
        households.add(row["household_id"])
        partner = partner_of_product.get(row["product_id"], GENERAL_STORE)
        quantity = round_half_away(Fraction(row["quantity"]))
        line = Line(quantity, minor_units(Fraction(row["sales_value"])), earns=True)
        baskets[partner, row["store_id"], row["household_id"], row["basket_id"]].append(line)
    for (partner, _, household, _), lines in baskets.items():
        work.members.add("household-" + household)
        work.add_receipt(partner, "household-" + household, lines)
    return sorted(households, key=lambda number: (len(number), number))


def member_of_customer(customer, households):
    """Every third customer by FNV-1a is a household that shops in town as well."""
    value = 2166136261
    for byte in customer.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    if value % 3 == 0 and households:
        return "household-" + households[value // 3 % len(households)]
    return "customer-" + customer


def is_not_goods(code):
    return code in NOT_GOODS or code.startswith("gift_")


def read_invoices(path):
    """Lists of rows, by the earliest time in each; ties in the order of the file."""
    invoices = collections.defaultdict(list)
    for row in records(path):
        row["at"] = datetime.datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M")
        row["quantity"] = round_half_away(Fraction(row["Quantity"]))
        row["price"] = round_half_away(Fraction(row["UnitPrice"]) * 10_000)
        invoices[row["InvoiceNo"]].append(row)
    return sorted(invoices.values(), key=lambda rows: min(row["at"] for row in rows))


def add_online_retail(work, path, households):
    """A cancellation takes the latest earlier sales of the same customer, code and price."""
    open_sales = collections.defaultdict(list)  # [receipt, line, quantity left], latest last.
    for rows in read_invoices(path):
        work.lines_read += len(rows)
        customer = rows[0]["CustomerID"]
        member = member_of_customer(customer, households) if customer else None
        if member:
            work.members.add(member)
        if rows[0]["InvoiceNo"].startswith("C"):
            cancel(work, rows, open_sales)
            continue
        lines = [
            Line(
                row["quantity"],
                minor_units(Fraction(row["quantity"] * row["price"], 10_000)),
                earns=not is_not_goods(row["StockCode"]),
            )
            for row in rows
        ]
        receipt_of = work.add_receipt(WEB_SHOP, member, lines)
        for row, line in zip(rows, lines):
            if id(line) in receipt_of and line.earns:
                key = customer, row["StockCode"], row["price"]
                open_sales[key].append([receipt_of[id(line)], line, line.quantity])


def cancel(work, rows, open_sales):
    by_receipt = collections.defaultdict(list)
    unmatched = 0
    for row in rows:
        if is_not_goods(row["StockCode"]):
            continue
        left = abs(row["quantity"])
        sales = open_sales.get((row["CustomerID"], row["StockCode"], row["price"]), [])
        while row["CustomerID"] and left > 0 and sales:
            receipt, line, available = sales[-1]
            taken = min(left, available)
            by_receipt[id(receipt)].append((receipt, line, taken))
            left -= taken
            sales[-1][2] -= taken
            if sales[-1][2] == 0:
                sales.pop()
        unmatched += left > 0
    work.returns.extend(by_receipt.values())
    work.parked_returns += -(-unmatched // MAX_LINES_PER_RECEIPT)


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, holds, detail=""):
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {what}{': ' + detail if detail and not holds else ''}")

    def equal(self, what, said, computed):
        self.that(f"{what} = {computed}", said == computed, f"the demonstration says {said}")


def recompute_points(work, demo, partners):
    """Points by partner key, and by member what was earned; returns that took points back."""
    points = {key: collections.Counter() for key in partners}
    earned = collections.Counter()
    for receipt in work.receipts:
        earn = partners[receipt.partner]["earn"]
        receipt.earn(earn["points"], earn["per_minor_units"])
        total = sum(line.points for line in receipt.lines)
        points[receipt.partner]["issued"] += total
        earned[receipt.member] += total
    effective_returns = 0
    for lines in work.returns:
        reversed_points = sum(line.give_back(quantity) for _, line, quantity in lines)
        points[lines[0][0].partner]["reversed"] += reversed_points
        effective_returns += reversed_points > 0
    welcome = demo["welcome"]
    points[welcome["partner"]]["issued"] += welcome["points_per_member"] * len(work.members)
    for member in work.members:
        earned[member] += welcome["points_per_member"]
    return points, earned, effective_returns


def read_redemptions(path, points):
    count = 0
    spent = collections.Counter()
    for row in records(path):
        count += 1
        left = int(row["points"]) - int(row["refunded_points"])
        points[row["partner"]]["redeemed"] += left
        spent[row["member"]] += left
    return count, spent


def recompute_money(contracts, points):
    money = collections.Counter()
    issuance = contracts.get("issuance")
    if issuance:
        paid_for = issuance["prepaid_points"]
        leg = "point_blocks" if paid_for else "issuance"
        money[leg] = price_of(paid_for or points["issued"] - points["reversed"], issuance["rate_micros"])
        money["issuance_tax"] = share_of(money[leg], issuance["tax_ppm"])
    if redemption := contracts.get("redemption"):
        money["reimbursement"] = price_of(points["redeemed"], redemption["rate_micros"])
        money["reimbursement_tax"] = share_of(money["reimbursement"], redemption["tax_ppm"])
        money["fee"] = price_of(points["redeemed"], redemption["fee_micros_per_point"]) + share_of(
            money["reimbursement"], redemption["fee_ppm"]
        )
        money["fee_tax"] = share_of(money["fee"], redemption["fee_tax_ppm"])
    money["tax"] = money["issuance_tax"] + money["fee_tax"] - money["reimbursement_tax"]
    money["net"] = (
        money["reimbursement"]
        + money["reimbursement_tax"]
        - money["issuance"]
        - money["point_blocks"]
        - money["issuance_tax"]
        - money["fee"]
        - money["fee_tax"]
    )
    return money


def payments(path):
    """The amounts of a payment file in minor units, and its control sum."""
    space = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    root = xml.etree.ElementTree.parse(path).getroot()
    amounts = [minor_units(Fraction(node.text)) for node in root.iterfind(".//p:InstdAmt", space)]
    return amounts, minor_units(Fraction(root.find(".//p:GrpHdr/p:CtrlSum", space).text))


def check_counts(checks, demo, work, effective_returns, redemptions):
    checks.equal("lines_read", demo["lines_read"], work.lines_read)
    checks.equal("members", demo["members"], len(work.members))
    checks.equal("purchases", demo["purchases"], len(work.receipts))
    checks.equal("returns", demo["returns"], effective_returns)
    checks.equal("redemptions", demo["redemptions"], redemptions)
    checks.equal("parked", demo["parked"], work.parked_returns)
    for reason, count in {**work.refused, "NOT_GOODS": work.not_goods_lines}.items():
        checks.equal(f"rejected {reason}", demo["rejected"].get(reason, 0), count)
    for key, bar in BARS.items():
        checks.that(f"{key} at least {bar}", demo[key] >= bar, str(demo[key]))
    checks.that(f"partners at least {MIN_PARTNERS}", demo["partners"] >= MIN_PARTNERS, str(demo["partners"]))


def check_money(checks, demo, partners, points):
    nets = []
    for key, partner in partners.items():
        money = recompute_money(partner["contracts"], points[key])
        computed = {f"points_{kind}": points[key][kind] for kind in ("issued", "reversed", "redeemed")}
        for kind in ("issuance", "point_blocks", "reimbursement", "fee", "tax", "net"):
            computed[f"{kind}_minor_units"] = money[kind]
        differences = [
            f"{name} {partner[name]}, not {value}" for name, value in computed.items() if partner[name] != value
        ]
        checks.that(f"{key}: points, money and tax", not differences, "; ".join(differences))
        if block := partner["contracts"].get("issuance", {}).get("prepaid_points"):
            left = block - points[key]["issued"] + points[key]["reversed"]
            checks.that(f"{key}: its blocks cover what it issued", left >= 0, f"{left} points")
        nets.append(money["net"])
    if "operator_net_minor_units" in demo:
        checks.equal("operator_net_minor_units", demo["operator_net_minor_units"], sum(nets))
    checks.that("a partner pays and one is paid", min(nets) < 0 < max(nets))
    amounts, control_sum = payments(demo["payment_file"])
    to_pay = sorted(net for net in nets if net > 0)
    checks.that("the payment file pays each positive net", sorted(amounts) == to_pay, f"{sorted(amounts)}, not {to_pay}")
    checks.equal("the payment file's control sum", control_sum, sum(to_pay))
    checks.equal("payments_minor_units", demo["payments_minor_units"], sum(to_pay))


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo_json", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=here.parent / "data")
    parser.add_argument("--purchases", type=pathlib.Path, help="a complete file in place of the Online Retail slice")
    options = parser.parse_args()
    demo = json.loads(options.demo_json.read_text())
    partners = {partner["key"]: partner for partner in demo["per_partner"]}

    work = Work()
    households = add_complete_journey(
        work,
        options.data / "completejourney_transactions.csv.xz",
        options.data / "completejourney_products.csv.xz",
    )
    add_online_retail(work, options.purchases or options.data / "online_retail.csv.xz", households)
    points, earned, effective_returns = recompute_points(work, demo, partners)
    redemptions, spent = read_redemptions(demo["redemptions_file"], points)

    checks = Checks()
    check_counts(checks, demo, work, effective_returns, redemptions)
    overspent = [member for member in spent if spent[member] > earned[member]]
    checks.that("nobody spent more than they earned", not overspent, ", ".join(overspent[:5]))
    check_money(checks, demo, partners, points)
    for check in demo["verify"]["checks"]:
        checks.that(f"ledger verify: {check['name']}", check["ok"])
    checks.that("ledger verify", demo["verify"]["ok"])
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
