# Says whether the shell can read every file.
cd "$(dirname "$0")/.." || exit 1
for file in lib/*.sh tests/*.sh tests/support/*.sh; do
	sh -n "$file" || exit 1
done
echo "every file can be read"
