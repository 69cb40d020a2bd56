"""Models of the business, its catalogue, its policies and its resources."""

from services.models.business import Business, Closure, DayMinutes, Location, OpeningHours, SettingsChange
from services.models.catalogue import AddOn, Category, ResourceRequirement, Service, ServiceVariant
from services.models.policies import BookingPolicy, CancellationPolicy, CancellationTier
from services.models.proposals import ProposedChange
from services.models.resources import Resource, ResourceType

__all__ = [
    "AddOn",
    "BookingPolicy",
    "Business",
    "CancellationPolicy",
    "CancellationTier",
    "Category",
    "Closure",
    "DayMinutes",
    "Location",
    "OpeningHours",
    "ProposedChange",
    "Resource",
    "ResourceRequirement",
    "ResourceType",
    "Service",
    "ServiceVariant",
    "SettingsChange",
]
