"""What a person must be told: rules over the desk's measures, price alerts, their life, and the channels they go by."""

from services.alerts.channel_health import ChannelState
from services.alerts.desk import AlertDesk, RuleState
from services.alerts.prices import PriceAlertState
from services.alerts.rules import Rule, title_of
from services.ledger.alert_channels import Channel, Delivery, Sent, What
from services.ledger.alerts import Alert, Life, Severity
from services.ledger.price_alerts import PriceAlert, Side, Watched

__all__ = [
    "Alert",
    "AlertDesk",
    "Channel",
    "ChannelState",
    "Delivery",
    "Life",
    "PriceAlert",
    "PriceAlertState",
    "Rule",
    "RuleState",
    "Sent",
    "Severity",
    "Side",
    "Watched",
    "What",
    "title_of",
]
