module modelhook.invalid/pause

go 1.26
