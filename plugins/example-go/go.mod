module px/example

go 1.24
