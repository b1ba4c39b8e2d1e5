"""The MCP server: people's assistants ask and report for them, with exactly their rights."""
