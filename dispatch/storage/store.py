"""Every query about a territory. A `Store` sees one territory and nothing else.

In: a session of `Database.read` or `Database.write`. Out: rows of `tables`. Called by services, which never commit.
"""

from dispatch.storage.audit import AuditRows
from dispatch.storage.driving import DrivingRows
from dispatch.storage.eligibility import EligibilityRows
from dispatch.storage.live import LiveRows
from dispatch.storage.notices import NoticeRows
from dispatch.storage.privacy import PrivacyRows
from dispatch.storage.rounds import RoundRows
from dispatch.storage.series import SeriesRows
from dispatch.storage.sms import SmsRows
from dispatch.storage.trips import TripRows
from dispatch.storage.volunteers import VolunteerRows
from dispatch.storage.webhooks import WebhookRows


class Store(
    VolunteerRows,
    TripRows,
    SeriesRows,
    EligibilityRows,
    RoundRows,
    DrivingRows,
    PrivacyRows,
    NoticeRows,
    WebhookRows,
    SmsRows,
    AuditRows,
    LiveRows,
):
    """One territory's rows. What belongs to another one is absent here."""
