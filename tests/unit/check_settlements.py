#!/usr/bin/env python3
"""Works settlements out again, in exact rationals, and compares every amount.

    check_settlements.py FILE

FILE is what settlement_property_test.cc writes: for each programme its contracts (T), then for each
settlement the windows so far (W), the versions whose issuer leaves (D), the blocks of points that were sold (K), the points that moved (M), what
became of lots (L) and the least payouts (Q), and what the product made of them: lines (R), nets (N), obligations (O) and the balances of the
money ledger so far (B). Shares no code with the product. Exit code 0 when all of it agrees.
"""

import collections
import sys
from fractions import Fraction


def rounded(value):
    """Half away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value.numerator) + value.denominator) // (2 * value.denominator))


class Contract:
    def __init__(self, fields):
        (self.id, self.partner, self.kind, rate, self.billed_at, funding, reserve, breakage, fee,
         fee_point, fee_window, self.tax_code, tax, self.fee_tax_code, fee_tax) = fields
        self.rate = Fraction(int(rate), 10**6)
        self.funding = ["POSTPAID", "PREPAID", "AT_REDEMPTION", "HYBRID"][int(funding)]
        self.reserve = Fraction(int(reserve), 10**6)
        self.breakage = Fraction(int(breakage), 10**6)
        self.fee = Fraction(int(fee), 10**6)
        self.fee_point = Fraction(int(fee_point), 10**6)
        self.fee_window = int(fee_window)
        self.tax = Fraction(int(tax), 10**6)
        self.fee_tax = Fraction(int(fee_tax), 10**6)
        self.windows = 0
        self.moved = collections.Counter()
        self.bought = 0
        self.spent = 0
        self.expired = 0
        self.left = False

    def has_fee(self):
        return self.kind == "REDEMPTION" or self.fee or self.fee_point or self.fee_window

    def by_redemption(self):
        return self.funding in ("AT_REDEMPTION", "HYBRID")

    def billable(self):
        m = self.moved
        if self.kind == "REDEMPTION":
            return m["REDEEMED"] - m["REFUNDED"]
        if self.billed_at == "POSTING":
            return m["ISSUED"] - m["REVERSED_PENDING"] - m["REVERSED"]
        return m["ACTIVATED"] - m["REVERSED"]

    def outstanding(self):
        return max(0, self.billable() - self.spent - self.expired)

    def paid_for(self, paid):
        """The points whose issuance is paid for so far, of which `paid` were before."""
        if not self.by_redemption():
            return self.billable()
        return max(paid, self.spent + self.outstanding()) if self.left else self.spent

    def so_far(self, unit, paid):
        """{leg: (points, amount, tax code, tax)} since the beginning; `unit` is minor units per major, `paid` the
        points whose issuance was billed before."""
        price = lambda points, rate: rounded(points * rate * unit)
        legs = {}
        if self.kind == "REDEMPTION":
            points = self.billable()
            amount = price(points, self.rate)
            legs["REIMBURSEMENT"] = (points, amount, self.tax_code, rounded(amount * self.tax))
        else:
            points = self.paid_for(paid)
            amount = 0 if self.funding == "PREPAID" else price(points, self.rate)
            legs["ISSUANCE"] = (points, amount, self.tax_code, rounded(amount * self.tax))
            if self.funding == "PREPAID":
                paid = price(self.bought, self.rate)
                legs["POINT_BLOCK"] = (self.bought, paid, self.tax_code, rounded(paid * self.tax))
            if self.funding == "HYBRID":
                outstanding = 0 if self.left else self.outstanding()
                legs["RESERVE"] = (outstanding, rounded(price(outstanding, self.rate) * self.reserve), "", 0)
            if self.breakage and not self.by_redemption():
                share = rounded(price(self.expired, self.rate) * self.breakage)
                legs["BREAKAGE"] = (self.expired, share, self.tax_code, rounded(share * self.tax))
        if self.has_fee():
            fee = price(points, self.fee_point) + rounded(amount * self.fee) + self.fee_window * self.windows
            legs["FEE"] = (points, fee, self.fee_tax_code, rounded(fee * self.fee_tax))
        return legs

    def liability(self, unit):
        """What its outstanding points were sold for."""
        if self.kind == "REDEMPTION":
            return 0
        if self.by_redemption():
            return rounded(self.outstanding() * self.rate * unit) if self.left else 0
        return rounded((self.billable() - self.spent - self.expired) * self.rate * unit)


PAID_TO_PARTNER = ("REIMBURSEMENT", "BREAKAGE")


class Programme:
    def __init__(self, exponent):
        self.unit = 10**exponent
        self.contracts = {}
        self.before = collections.defaultdict(lambda: (0, 0, "", 0))
        self.carried = collections.Counter()
        self.minimum = {}
        self.blocks = []  # (contract, points), in the order in which they were sold.
        self.owed = collections.Counter()  # By partner: what obligations came to.

    def settle(self):
        """The lines, nets and obligations that the product must have made."""
        lines, nets, obligations = [], [], []
        sums = collections.defaultdict(collections.Counter)
        for contract in self.contracts.values():
            sums[contract.partner]
            paid = self.before[contract.id, "ISSUANCE"][0]
            for leg, (points, amount, code, tax) in contract.so_far(self.unit, paid).items():
                was = self.before[contract.id, leg]
                self.before[contract.id, leg] = (points, amount, code, tax)
                now = (points - was[0], amount - was[1], tax - was[3])
                if any(now):
                    lines.append((contract.partner, contract.id, leg, now[0], points, now[1], code, now[2]))
                sign = -1 if leg in PAID_TO_PARTNER else 1
                sums[contract.partner][leg] += now[1]
                sums[contract.partner]["TAX"] += sign * now[2]
        for partner, s in sums.items():
            net = (s["REIMBURSEMENT"] + s["BREAKAGE"] - s["ISSUANCE"] - s["POINT_BLOCK"] - s["RESERVE"]
                   - s["FEE"] - s["TAX"])
            carried_in = self.carried[partner]
            owed = net + carried_in
            carried_out = owed if 0 < owed < self.minimum.get(partner, 0) else 0
            self.carried[partner] = carried_out
            nets.append((partner, s["ISSUANCE"], s["REIMBURSEMENT"], s["FEE"], s["RESERVE"], s["BREAKAGE"],
                         s["POINT_BLOCK"], s["TAX"], net, carried_in, carried_out))
            if owed != carried_out:
                obligations.append((partner, owed - carried_out))
                self.owed[partner] += owed - carried_out
        return sorted(lines), sorted(nets), sorted(obligations)

    def deposit(self, partner):
        """What the points that a partner bought and has not given were sold for: blocks are used in their order."""
        prepaid = [c for c in self.contracts.values() if c.partner == partner and c.funding == "PREPAID"
                   and c.kind == "ISSUANCE"]
        given = max(0, sum(c.billable() for c in prepaid))
        used = collections.Counter()
        for contract, points in self.blocks:
            if contract.partner == partner:
                used[contract.rate] += min(points, given)
                given -= min(points, given)
        return (sum(rounded(c.bought * c.rate * self.unit) for c in prepaid)
                - sum(rounded(points * rate * self.unit) for rate, points in used.items()))

    def check_balances(self, balances):
        """Debits less credits, by account and partner."""
        yield "the trial balance", sum(balances.values()), 0
        liability = sum(contract.liability(self.unit) for contract in self.contracts.values())
        yield "the liability", -balances[("POINTS_LIABILITY", "0")], liability
        for partner in {contract.partner for contract in self.contracts.values()}:
            open_items = balances[("PARTNER_RECEIVABLE", partner)] + balances[("PARTNER_PAYABLE", partner)]
            yield f"what partner {partner} has open", -open_items, self.owed[partner] + self.carried[partner]
            reserve = sum(self.before[c.id, "RESERVE"][1] for c in self.contracts.values() if c.partner == partner)
            yield f"the deposit of partner {partner}", -balances[("PREPAID_DEPOSIT", partner)], self.deposit(partner)
            yield f"the reserve of partner {partner}", -balances[("RESERVE", partner)], reserve


def ints(fields):
    return tuple(int(field) for field in fields)


def main(path):
    programme, found, differences, settlements, programmes = None, None, [], 0, 0
    with open(path, encoding="utf-8") as file:
        for text in file:
            kind, *fields = text.rstrip("\n").split("\t")
            if kind == "P":
                programme = Programme(int(fields[0]))
                programmes += 1
            elif kind == "T":
                programme.contracts[fields[0]] = Contract(fields)
            elif kind == "S":
                found = {"R": [], "N": [], "O": [], "B": collections.Counter()}
            elif kind == "W":
                programme.contracts[fields[0]].windows = int(fields[1])
            elif kind == "D":
                programme.contracts[fields[0]].left = True
            elif kind == "M":
                programme.contracts[fields[0]].moved[fields[1]] += int(fields[2])
            elif kind == "K":
                programme.contracts[fields[0]].bought += int(fields[1])
                programme.blocks.append((programme.contracts[fields[0]], int(fields[1])))
            elif kind == "L":
                programme.contracts[fields[0]].spent += int(fields[1])
                programme.contracts[fields[0]].expired += int(fields[2])
            elif kind == "Q":
                programme.minimum[fields[0]] = int(fields[1])
            elif kind == "R":
                found["R"].append((*fields[:3], *ints(fields[3:6]), fields[6], int(fields[7])))
            elif kind == "N":
                found["N"].append((fields[0], *ints(fields[1:])))
            elif kind == "O":
                found["O"].append((fields[0], int(fields[1])))
            elif kind == "B":
                found["B"][fields[0], fields[1]] = int(fields[2])
            elif kind == "E":
                settlements += 1
                lines, nets, obligations = programme.settle()
                for name, ours, theirs in (("lines", lines, found["R"]), ("nets", nets, found["N"]),
                                           ("obligations", obligations, found["O"])):
                    if ours != sorted(theirs):
                        differences.append(f"{name}: {ours} is not {sorted(theirs)}")
                if sum(n[8] + n[9] - n[10] for n in nets) != sum(o[1] for o in obligations):
                    differences.append("obligations are not the nets")
                for name, theirs, ours in programme.check_balances(found["B"]):
                    if ours != theirs:
                        differences.append(f"{name}: {ours} is not {theirs}")
    for difference in differences[:5]:
        print(difference)
    print(f"{programmes} programmes, {settlements} settlements, {len(differences)} differences")
    return 1 if differences or programmes < 1000 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
