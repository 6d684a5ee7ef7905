"""Stand-ins for official images, made from Debian packages where no image registry can be reached."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import apt_archives
from steps import StopError, run, step

SUITE = "trixie"
LABEL = "org.aiinfra.stand-in"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
CA_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
# Not /tmp, which is often in memory or mounted nodev.
SPACE = "/var/tmp"  # noqa: S108 (private folders are made in it)
LEAVE_OUT = ("doc", "man", "info", "locale", "lintian", "zoneinfo/right")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is made: packages, then a script as root inside it, then Dockerfile instructions."""

    packages: tuple[str, ...]
    script: str = ""
    instructions: tuple[str, ...] = ()


# As in the official images: the same users, entry points and directories.
RECIPES = {
    "python:3.13-slim-trixie": Recipe(
        packages=("python3.13-venv", "ca-certificates", "netbase", "tzdata"),
        # A virtual environment in /usr/local: `python` and `pip` first on PATH, packages where the original has them.
        script="python3.13 -m venv /usr/local",
        instructions=("ENV LANG=C.UTF-8", 'CMD ["python3"]'),
    ),
    "redis:8.0": Recipe(
        packages=("redis-server", "redis-tools"),
        script="""\
groupmod -g 999 redis
usermod -u 999 -g 999 -d /data redis
install -d -o redis -g redis /data
cat > /usr/local/bin/docker-entrypoint.sh <<'EOF'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  chown -R redis:redis /data
  set -- setpriv --reuid=redis --regid=redis --clear-groups "$@"
fi
umask 0077
exec "$@"
EOF
chmod 755 /usr/local/bin/docker-entrypoint.sh
""",
        instructions=(
            "VOLUME /data",
            "WORKDIR /data",
            "EXPOSE 6379",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            'CMD ["redis-server"]',
        ),
    ),
    "postgres:17": Recipe(
        packages=("postgresql",),
        # The original makes a database from POSTGRES_PASSWORD and listens to every address; so does this.
        script="""\
groupmod -g 999 postgres
usermod -u 999 -g 999 -d /var/lib/postgresql postgres
rm -rf /var/lib/postgresql/17
install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data
cat > /usr/local/bin/docker-entrypoint.sh <<'EOF'
#!/bin/sh
set -e
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres /run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
data=/var/lib/postgresql/data
if [ ! -s $data/PG_VERSION ]; then
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --pgdata=$data --username=postgres --pwfile=/tmp/password --auth-host=scram-sha-256 >/dev/null
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> $data/pg_hba.conf
fi
unset POSTGRES_PASSWORD
exec "$@" -D $data -c listen_addresses='*'
EOF
chmod 755 /usr/local/bin/docker-entrypoint.sh
""",
        instructions=(
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin",
            "VOLUME /var/lib/postgresql/data",
            "STOPSIGNAL SIGINT",
            "EXPOSE 5432",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            'CMD ["postgres"]',
        ),
    ),
    "haproxy:3.0": Recipe(
        packages=("haproxy",),
        script="""\
groupmod -g 99 haproxy
usermod -u 99 -g 99 haproxy
install -d -o haproxy -g haproxy /var/lib/haproxy
install -d /usr/local/etc/haproxy
cat > /usr/local/bin/docker-entrypoint.sh <<'EOF'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then shift; set -- haproxy -W -db "$@"; fi
exec "$@"
EOF
chmod 755 /usr/local/bin/docker-entrypoint.sh
""",
        instructions=(
            "USER haproxy",
            "WORKDIR /var/lib/haproxy",
            "STOPSIGNAL SIGUSR1",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
        ),
    ),
}


def prepare() -> str:
    """Get ready to build: install mmdebstrap if need be; returns the apt sources of the images' suite."""
    sources = apt_archives.suite_sources("Debian", SUITE)
    if shutil.which("mmdebstrap") is None:
        if os.geteuid() != 0:
            raise StopError("mmdebstrap is not installed", "run this as root, or: sudo apt-get install mmdebstrap")
        with step("installed mmdebstrap"):
            apt_archives.install(["mmdebstrap"])
    return sources


def build(image: str, sources: str, *, tag: str = "") -> None:
    """Make the stand-in of `image` as `tag` (default: the same name) from apt `sources` (see prepare)."""
    recipe = RECIPES[image]
    with (
        step(f"{tag or image}: built a stand-in from Debian {SUITE}"),
        tempfile.TemporaryDirectory(dir=SPACE) as folder,
    ):
        root = Path(folder)
        (root / "suite.sources").write_text(sources)
        (root / "apt.conf").write_text(apt_archives.download_settings())
        (root / "finish").write_text(finish(recipe, CA_BUNDLE if CA_BUNDLE.exists() else None))
        (root / "finish").chmod(0o755)
        run(*bootstrap(recipe, root), TMPDIR=SPACE)
        changes = (word for line in instructions(image, recipe) for word in ("--change", line))
        run("docker", "import", *changes, str(root / "image.tar"), tag or image)


def bootstrap(recipe: Recipe, folder: Path) -> list[str]:
    """The command that makes `folder`/image.tar from the files which build() puts there."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--aptopt={folder / 'apt.conf'}",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEAVE_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--include={','.join(recipe.packages)}",
        f"--customize-hook={folder / 'finish'}",
        SUITE,
        str(folder / "image.tar"),
        str(folder / "suite.sources"),
    ]


def finish(recipe: Recipe, bundle: Path | None) -> str:
    """The script that completes a root file system ($1): the host's trusted authorities, the recipe's script."""
    forget = 'rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"\n'
    trust = f'mkdir -p "$1{CA_BUNDLE.parent}"\ncp -L "{bundle}" "$1{CA_BUNDLE}"\n' if bundle else ""
    return f"#!/bin/sh\nset -e\n{forget}{trust}chroot \"$1\" sh -e <<'FINISH'\n{recipe.script}\nFINISH\n"


def instructions(image: str, recipe: Recipe) -> list[str]:
    """Everything that `docker import` writes into the image's configuration."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    words = json.dumps(f"Stand-in for {image}, made from Debian {SUITE} packages")
    trust = " ".join(f"{name}={CA_BUNDLE}" for name in CA_VARIABLES)
    labels = f"LABEL {LABEL}=true org.opencontainers.image.description={words}"
    return [f"ENV PATH={path} {trust}", labels, *recipe.instructions]
