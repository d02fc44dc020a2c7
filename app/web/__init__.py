"""Plain HTTP: GraphQL over it, the explorer's page, health."""
