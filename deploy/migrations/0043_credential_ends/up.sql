-- The end that was stated for a credential. When it expires may be sooner: by the end of its certificate, or of the
-- overlap with its successor, which lasts as long as was stated. Of certificates nobody knows any more.
alter table partner.credentials add column stated_end_us bigint;
update partner.credentials set stated_end_us = expires_at_us where certificate_sha256 is null;
