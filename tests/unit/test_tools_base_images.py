from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import base_images
import stand_ins

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM redis:8.0\n", {"redis:8.0"}),
        ("ARG BASE=python:3.13\nFROM ${BASE} AS build\nFROM $BASE\nCOPY --from=build /a /a\n", {"python:3.13"}),
        ("ARG TAG=3.13 OS=slim\nARG BASE=python:${TAG}-${OS}\nFROM ${BASE}\n", {"python:3.13-slim"}),
        ('ARG BASE="python:3.13"\nFROM ${BASE}\n', {"python:3.13"}),
        ("ARG TAG\nFROM python:${TAG:-3.13}\n", {"python:3.13"}),
        ("from --platform=$BUILDPLATFORM golang:1 as Build\nfrom build\nfrom scratch\n", {"golang:1"}),
        ("FROM \\\n  redis:8.0 \\\n  AS x\n", {"redis:8.0"}),
        ("FROM registry.example:5000/team/app:1@sha256:00\n", {"registry.example:5000/team/app:1@sha256:00"}),
        ("# FROM redis:8.0\nRUN echo FROM x\n", set()),
    ],
)
def test_the_base_images_of_a_dockerfile(text: str, images: set[str]) -> None:
    assert base_images.from_dockerfile(text) == images


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("    image: redis:8.0\n", {"redis:8.0"}),
        ('    image: "redis:8.0"  # official\n', {"redis:8.0"}),
        ("    image: {{ base_image('haproxy:3.0') }}\n", {"haproxy:3.0"}),
        ('    image: {{ base_image("haproxy:3.0") | yaml }}\n', {"haproxy:3.0"}),
        ("    image: {{ litellm.image | yaml }}\n", set()),
        ("{# as base_image('redis:8.0'),\n   image: redis:7 #}\n", set()),
        ("    # image: redis:8.0\n    my_image: redis:8.0\n", set()),
    ],
)
def test_the_base_images_of_a_template(text: str, images: set[str]) -> None:
    assert base_images.from_template(text) == images


def test_every_image_that_a_repository_names_is_listed_once(tmp_path: Path) -> None:
    for service in ("one", "two"):
        (tmp_path / "services" / service).mkdir(parents=True)
        (tmp_path / "services" / service / "Dockerfile").write_text("FROM python:3.13\n")
    (tmp_path / "templates" / "compose").mkdir(parents=True)
    (tmp_path / "templates" / "compose" / "compose.yaml.j2").write_text("image: haproxy:3.0\nimage: redis:8.0\n")
    assert base_images.named(tmp_path) == ["haproxy:3.0", "python:3.13", "redis:8.0"]


def test_there_is_a_recipe_for_every_image_that_this_repository_runs() -> None:
    assert {*base_images.named(base_images.ROOT), *base_images.FOR_TESTS} <= set(stand_ins.RECIPES)


def test_the_finishing_script_copies_the_trusted_authorities_only_where_there_are_some() -> None:
    recipe = stand_ins.Recipe(packages=("redis-server",), script="echo done")
    assert "cp -L" not in stand_ins.finish(recipe, None)
    assert f'cp -L "{stand_ins.CA_BUNDLE}"' in stand_ins.finish(recipe, stand_ins.CA_BUNDLE)
