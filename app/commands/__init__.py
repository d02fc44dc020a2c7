"""What an operator can type after `kubeorch`: one module per command."""
