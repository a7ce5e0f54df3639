"""HTTP routes: parse, call one logic function, answer."""
