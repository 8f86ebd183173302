package main

// commands is the grammar of the command line.
type commands struct {
	globals `embed:"" group:"shared"`

	Demo      demoCommand       `cmd:"" help:"Try everything on a synthetic museum: crawl, embed, rate, learn, and serve the page."`
	Crawl     crawlCommand      `cmd:"" help:"Collect pictures from a gallery or a Wikimedia Commons category."`
	Subscribe subscribeCommand  `cmd:"" help:"Look at sources again and again for what is new."`
	Import    importCommand     `cmd:"" help:"Add pictures from a folder; good/ and bad/ in it are likes and dislikes."`
	Embed     embedCommand      `cmd:"" help:"Embed what is not embedded yet, or print the embeddings of files."`
	Rate      rateCommand       `cmd:"" help:"Like, dislike or skip images."`
	Images    imagesCommand     `cmd:"" help:"Images of the collection: list, show, delete, restore."`
	Open      openCommand       `cmd:"" help:"Show an image's picture in the system's viewer."`
	Trash     trashCommand      `cmd:"" help:"What was deleted in the last 30 days: list, empty."`
	Export    exportCollection  `cmd:"" help:"Write ids, ratings, metadata and embeddings: NDJSON, CSV, Parquet, NumPy, or a folder for clip-retrieval."`
	Train     trainCommand      `cmd:"" help:"Learn the taste from the ratings."`
	Evaluate  evaluateCommand   `cmd:"" help:"Judge anybody's embeddings by labels: NumPy, Parquet or clip-retrieval files, no pictures needed."`
	Queue     queueCommand      `cmd:"" help:"Show what to judge next, so that few ratings teach much."`
	Review    reviewCommand     `cmd:"" help:"Show ratings that are likely mistakes."`
	Why       whyCommand        `cmd:"" help:"Show the nearest liked and disliked pictures of an image."`
	Probe     probeCommand      `cmd:"" help:"Versions of the taste: history, reports, rollback, export and import."`
	Profile   profileCommand    `cmd:"" help:"Tastes of this collection: list, create, rename, delete, compare."`
	Scores    scoresCommand     `cmd:"" help:"Show images by the taste's score, or score files."`
	Similar   similarCommand    `cmd:"" help:"Show the nearest images to an image or a file."`
	Sort      sortCommand       `cmd:"" help:"Sort a folder's pictures into liked/, disliked/ and unsure/."`
	Reindex   reindexCommand    `cmd:"" help:"Fill the index anew from the catalog; what it holds serves until then."`
	Index     indexCommand      `cmd:"" help:"Look at the index: status, verify."`
	Model     modelCommand      `cmd:"" help:"List, pull, add, verify and compare models."`
	Finetune  finetuneCommand   `cmd:"" help:"Train the weights of a model themselves on the ratings."`
	Map       mapCommand        `cmd:"" help:"Lay the collection out on a plane, what is alike near together, for the page to show."`
	Copies    copiesCommand     `cmd:"" help:"Look for pictures that show one work, so that the page can show one of each."`
	Arena     arenaCommand      `cmd:"" help:"Compare models and ways to learn, fine-tuning among them, on the profile's ratings."`
	Verify    verifyCommand     `cmd:"" help:"Hold the files of the pictures against the catalog, and their contents against their hashes."`
	Backup    backupCommand     `cmd:"" help:"Copy the collection to a safe place; what is there already is not copied again."`
	Restore   restoreCommand    `cmd:"" help:"Bring a backup back, or add its ratings to a collection."`
	Jobs      jobsCommand       `cmd:"" help:"Long work of all processes: list, stop."`
	Serve     serveCommand      `cmd:"" help:"Serve the page and the REST API."`
	Token     tokenCommand      `cmd:"" help:"Who may come in where a server asks: create, list, revoke, link."`
	Health    healthCommand     `cmd:"" help:"Ask a running server whether it is well; the exit code says it."`
	Museum    museumCommand     `cmd:"" help:"Serve the synthetic museum alone, to try a crawl without troubling a real site."`
	Doctor    doctorCommand     `cmd:"" help:"Look at the runtime, the model and the collection, and say what is wrong."`
	Complete  completionCommand `cmd:"" name:"completion" help:"Print a script that completes palate's command line: bash, zsh or fish."`
	Manual    manualCommand     `cmd:"" help:"Print the manual page, for man: palate manual > palate.1."`
	Version   versionCommand    `cmd:"" help:"Print the version."`
}
