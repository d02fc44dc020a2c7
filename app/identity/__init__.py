"""Who somebody is: passwords, e-mail addresses, access tokens and the keys that sign them."""
