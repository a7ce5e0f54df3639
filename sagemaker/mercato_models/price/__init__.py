"""Prices: how demand answers to them, and what a pricing policy would have earned."""

NAME = "price"
