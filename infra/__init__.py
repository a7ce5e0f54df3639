"""What a deploy is made of: the artifacts it ships, the CDK app that names them, a local AWS to try it on."""
