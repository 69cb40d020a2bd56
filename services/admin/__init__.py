"""Admin of the business, its locations and its catalogue. Importing these modules registers their pages."""

from services.admin import business, catalogue, policies, resources

__all__ = ["business", "catalogue", "policies", "resources"]
