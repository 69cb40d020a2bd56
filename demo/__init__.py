"""Linden Studio, the demo business: its data (studio, people), its rows (setup), and its bookings (plan, history)."""
