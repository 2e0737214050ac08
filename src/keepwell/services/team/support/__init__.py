"""Support: what tickets are about, how long they may take, and what in them other teams have to hear of."""
