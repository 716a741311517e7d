"""The roof: settings, urls, accounts, processes. Imports everything, imported by nothing."""
