"""The only place that builds things and reads the clock: settings in, a working bridge out."""

from bursarbridge.wiring.bridge import Bridge, build
from bursarbridge.wiring.outside import Clock, Reached, clock_of, crash_switch, crash_switch_here, fresh_secret, system_clock

__all__ = ["Bridge", "Clock", "Reached", "build", "clock_of", "crash_switch", "crash_switch_here", "fresh_secret", "system_clock"]
