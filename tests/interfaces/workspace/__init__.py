"""Tests of the workspace's pages."""
