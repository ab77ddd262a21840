{# The textbook's lifetime value needs last year's margin and the share of the year before's customers who stayed. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    days as (select * from {{ ref("fct_customer_days") }}),

    years as (
        select
            as_of.as_of,
            {{ add_months("as_of.as_of", -12) }} as last_year_end_date,
            {{ add_months("as_of.as_of", -24) }} as before_end_date,
            as_of.data_start_date
        from as_of
    ),

    summed as (
        select
            customers.customer_key,
            customers.currency_code,
            {{ customer_day_sums("days") }}
        from customers
        cross join years
        inner join
            days
            on customers.customer_key = days.base_key
            and days.calendar_date > years.last_year_end_date
            and days.calendar_date <= years.as_of
        group by customers.customer_key, customers.currency_code
    ),

    last_year as (
        select
            customer_key,
            order_count > 0 as is_active,
            {{ waterfall("cm3") }} as cm3_amount
        from summed
    ),

    -- only where the data reach back two whole years
    before as (
        select distinct days.base_key as customer_key
        from days
        cross join years
        where
            days.order_count > 0
            and days.calendar_date > years.before_end_date
            and days.calendar_date <= years.last_year_end_date
            and years.data_start_date <= {{ add_days("years.before_end_date", 1) }}
    ),

    stayed as (
        select
            segments.segment_by,
            segments.segment,
            count(*) as customer_count,
            sum(case when last_year.is_active then 1 else 0 end) as stayed_count
        from before
        inner join segments on before.customer_key = segments.customer_key
        left join last_year on before.customer_key = last_year.customer_key
        where segments.segment_by in ('{{ var("margin_segment") }}', 'all')
        group by segments.segment_by, segments.segment
        having count(*) >= {{ var("min_base") }}
    ),

    final as (
        select
            customers.customer_key,
            last_year.is_active,
            last_year.cm3_amount as yearly_cm3_amount,
            coalesce(
                near.customer_count, overall.customer_count
            ) as retention_base_count,
            coalesce(
                {{ div("near.stayed_count", "near.customer_count") }},
                {{ div("overall.stayed_count", "overall.customer_count") }}
            ) as yearly_retention_rate
        from customers
        left join
            last_year on customers.customer_key = last_year.customer_key
            {{ join_near_and_all("stayed") }}
    )

select *
from final
