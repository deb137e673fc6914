"""What a click costs: one read that finds the link and a click counted before, and one statement that counts a new one."""

from typing import Final

from db.rows import select_list
from db.tables import AffiliateLink

# $1 code, $2 visitor, $3 hour
FIND: Final = f"""
    select {select_list(AffiliateLink, "t")}, c.id as click_id from affiliate_links t
    left join clicks c on c.link_id = t.id and c.visitor = $2 and c.hour = $3 where t.code = $1
"""
# The counter moves only with a new row: of two that come at once, the second waits for the first and adds nothing.
COUNT: Final = """
    with fresh as (
      insert into clicks (id, link_id, visitor, hour, occurred_at) values (:id, :link_id, :visitor, :hour, :occurred_at)
      on conflict (link_id, visitor, hour) do nothing returning link_id
    )
    update affiliate_links l set clicks = l.clicks + 1 from fresh where l.id = fresh.link_id returning l.id
"""
