package main

import (
	"fmt"
	"math"
	"strings"
)

// curve is how something grows, with both axes logarithmic: a straight line that
// rises as steeply as the dashed one is linear growth.
type curve struct {
	section, name, title string
	across, up           string // what the axes show
	x, y                 []float64
}

func (c curve) file() string { return "benchmarks-" + c.name + ".svg" }

// slope is the exponent of the growth from the first point to the last: 0 is
// no growth, 1 is linear.
func (c curve) slope() float64 {
	last := len(c.x) - 1
	return math.Log(c.y[last]/c.y[0]) / math.Log(c.x[last]/c.x[0])
}

// steepest is the largest exponent between two neighbouring points.
func (c curve) steepest() float64 {
	steepest := math.Inf(-1)
	for i := 1; i < len(c.x); i++ {
		steepest = max(steepest, math.Log(c.y[i]/c.y[i-1])/math.Log(c.x[i]/c.x[i-1]))
	}
	return steepest
}

const (
	width, height                     = 560.0, 340.0
	marginLeft, marginTop             = 70.0, 40.0
	marginRight, marginBottom         = 20.0, 50.0
	plotWidth, plotHeight     float64 = width - marginLeft - marginRight, height - marginTop - marginBottom
)

// svg draws the curve in colours that can be read on white and on black.
func (c curve) svg() string {
	// The dashed line goes through the first point.
	linear := c.y[0] * c.x[len(c.x)-1] / c.x[0]
	bottom, top := c.y[0], linear
	for _, y := range c.y {
		bottom, top = min(bottom, y), max(top, y)
	}
	bottom, top = bottom/1.5, top*1.5
	left, right := c.x[0]/1.2, c.x[len(c.x)-1]*1.2
	across := func(x float64) float64 { return marginLeft + plotWidth*math.Log(x/left)/math.Log(right/left) }
	up := func(y float64) float64 { return marginTop + plotHeight*(1-math.Log(y/bottom)/math.Log(top/bottom)) }

	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" font-family="sans-serif" font-size="12" role="img">
<title>%s</title>
<style>text{fill:#6e7781}.axis{stroke:#8c959f;fill:none}.grid{stroke:#8c959f;stroke-opacity:.3}.line{stroke:#0969da;fill:none;stroke-width:2}.dot{fill:#0969da}.linear{stroke:#8c959f;stroke-dasharray:5 4;fill:none}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.line{stroke:#4493f8}.dot{fill:#4493f8}}</style>
`, width, height, width, height, c.title)
	fmt.Fprintf(&s, `<text x="%g" y="22" font-size="14">%s</text>`+"\n", marginLeft, c.title)
	for power := math.Ceil(math.Log10(bottom)); power <= math.Log10(top); power++ {
		y := math.Pow(10, power)
		fmt.Fprintf(&s, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%g</text>`+"\n",
			marginLeft, marginLeft+plotWidth, up(y), up(y), marginLeft-8, up(y)+4, y)
	}
	var points []string
	for i, x := range c.x {
		points = append(points, fmt.Sprintf("%.1f,%.1f", across(x), up(c.y[i])))
		fmt.Fprintf(&s, `<text x="%.1f" y="%g" text-anchor="middle">%g</text>`+"\n", across(x), marginTop+plotHeight+18, x)
		fmt.Fprintf(&s, `<circle class="dot" cx="%.1f" cy="%.1f" r="4"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n",
			across(x), up(c.y[i]), across(x), up(c.y[i])-10, figure(c.y[i]))
	}
	fmt.Fprintf(&s, `<polyline class="line" points="%s"/>`+"\n", strings.Join(points, " "))
	last := c.x[len(c.x)-1]
	fmt.Fprintf(&s, `<line class="linear" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">linear</text>`+"\n",
		across(c.x[0]), up(c.y[0]), across(last), up(linear), across(last)-12, up(linear)-4)
	fmt.Fprintf(&s, `<path class="axis" d="M%g %gV%gH%g"/>`+"\n", marginLeft, marginTop, marginTop+plotHeight, marginLeft+plotWidth)
	fmt.Fprintf(&s, `<text x="%g" y="%g" text-anchor="middle">%s</text>`+"\n", marginLeft+plotWidth/2, height-12, c.across)
	fmt.Fprintf(&s, `<text transform="translate(16 %g) rotate(-90)" text-anchor="middle">%s</text>`+"\n</svg>\n", marginTop+plotHeight/2, c.up)
	return s.String()
}
