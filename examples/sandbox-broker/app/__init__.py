"""Sandbox API Broker: hands out sandbox accounts, one per owner, and takes them back."""
