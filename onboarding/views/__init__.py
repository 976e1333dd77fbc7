"""Pages of the onboarding domain: customers and staff never share one."""
