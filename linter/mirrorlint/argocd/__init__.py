"""The Argo CD config management plugin: render an application, follow the shadows that it has a part in, print what was rendered."""
