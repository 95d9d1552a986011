"""For authors of flows: their tests files run by pytest (`bot.testing.plugin`). Nothing of the running bot stands here."""
