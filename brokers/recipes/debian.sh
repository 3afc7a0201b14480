# Sourced by recipes that unpack Debian packages: sets `apt`, the options that let apt-get read and download a suite
# without root and beside whatever the machine has installed.
# Expects `suite` and `folder` (absolute); leaves its files in $folder/apt.
mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial} "$folder/debs" "$folder/root"
: > "$folder/apt/status"

# The mirror that this machine already uses; suites other than its own are taken from there too.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$mirror" ] || { echo "apt has no package source configured" >&2; exit 3; }
[ -e "$keyring" ] || { echo "the Debian archive keyring is missing" >&2; exit 3; }
echo "deb [signed-by=$keyring] $mirror $suite main" > "$folder/apt/sources.list"
apt=(-q
  -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State=$folder/apt" -o "Dir::State::lists=$folder/apt/lists" -o "Dir::State::status=$folder/apt/status"
  -o "Dir::Cache=$folder/apt/cache" -o Acquire::Languages=none -o Acquire::Retries=3
  -o Debug::NoLocking=1 -o "APT::Sandbox::User=$(id -un)")

echo "progress: reading the package list of $suite"
apt-get "${apt[@]}" update > /dev/null
