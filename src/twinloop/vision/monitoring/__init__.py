"""A deployed detector watched: what its images and its scores look like against the day it was measured."""
