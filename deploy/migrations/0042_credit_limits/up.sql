-- What a partner may owe is a limit of the ledger, with the partner's id × 16 + 4, in millionths of the currency's
-- major unit: issuing spends points × rate of it. Partner services make it from the policies within a second. A
-- lane that does not know such limits would pass them, so it may write to no book any more.
update ledger.books set format_version = 4;
