"""A Slack workspace of one's own: Web API, commands, buttons, forms, a page, a clock. It knows nothing of the bot."""
