"""Identity 身份: organisations, people, roles, sessions and tokens, and the policies that decide every action."""
