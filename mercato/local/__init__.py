"""The engines and services of one machine: started, health-checked, supervised and stopped."""
