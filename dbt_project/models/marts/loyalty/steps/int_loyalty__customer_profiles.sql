{%- set fields = var("profile_fields") -%}
{%- set weekdays = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
] -%}
with
    favourites as (select * from {{ ref("int_loyalty__favourites") }}),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    memberships as (
        select
            memberships.customer_key,
            memberships.tier,
            memberships.tier_rank,
            memberships.enrolled_date,
            row_number() over (
                partition by memberships.customer_key
                order by
                    memberships.valid_from_date desc,
                    coalesce(memberships.tier_rank, 0) desc,
                    md5(memberships.membership_key)
            ) as recency
        from {{ ref("fct_memberships") }} as memberships
        cross join as_of
        where
            memberships.valid_from_date <= as_of.as_of
            and memberships.valid_to_date >= as_of.as_of
    ),

    entries as (
        select
            entries.customer_key,
            sum(entries.balance_points) as points_balance,
            max(entries.entered_date) as last_entry_date
        from {{ ref("fct_programme_entries") }} as entries
        cross join as_of
        where entries.entered_date <= as_of.as_of
        group by entries.customer_key
    ),

    -- a customer with points is a member, on a list of members or not
    member_keys as (
        select customer_key
        from memberships
        where recency = 1
        union
        select customer_key
        from entries
    ),

    members as (
        select
            member_keys.customer_key,
            memberships.enrolled_date,
            memberships.tier as programme_tier,
            entries.points_balance,
            coalesce(
                entries.last_entry_date
                > {{ add_days("as_of.as_of", -var("churn_days")) }},
                false
            ) as is_active_member
        from member_keys
        cross join as_of
        left join
            memberships
            on member_keys.customer_key = memberships.customer_key
            and memberships.recency = 1
        left join entries on member_keys.customer_key = entries.customer_key
    ),

    -- what leaving today would cost; fees that were not stated stay unknown
    exit_fees as (
        select
            contracts.customer_key,
            count(*) as running_contract_count,
            sum(contracts.exit_fee_amount) as exit_fee_amount
        from {{ ref("fct_contracts") }} as contracts
        cross join as_of
        where
            contracts.started_date <= as_of.as_of
            and coalesce(contracts.ended_date > as_of.as_of, true)
        group by contracts.customer_key
    ),

    -- without a single member it is not known whether there is a programme
    programmes as (select count(*) > 0 as is_known from members),

    filled as (
        select
            *,
            -- no address is known where `has_email` is false
            {% for field in fields %}
                case
                    when
                        coalesce(cast({{ field }} as {{ dbt.type_string() }}), 'false')
                        in ('false', '')
                    then 0
                    else 1
                end
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as filled_field_count
        from customers
    ),

    final as (
        select
            filled.customer_key,
            filled.is_in_crm,
            favourites.top_category,
            favourites.usual_channel,
            case
                favourites.usual_weekday_number
                {% for weekday in weekdays %}
                    when {{ loop.index }} then '{{ weekday }}'
                {% endfor %}
            end as usual_weekday,
            retention.median_order_gap_days,
            filled.filled_field_count,
            {{ fields | length }} as field_count,
            {{
                when_delivered(
                    "customers", div("filled.filled_field_count", fields | length)
                )
            }} as completeness_rate,
            case
                when programmes.is_known then members.customer_key is not null
            end as is_member,
            members.is_active_member,
            members.enrolled_date,
            members.programme_tier,
            members.points_balance,
            exit_fees.running_contract_count,
            exit_fees.exit_fee_amount,
            cast(
                as_of.reporting_currency_code as {{ dbt.type_string() }}
            ) as currency_code
        from filled
        cross join programmes
        cross join as_of
        left join exit_fees on filled.customer_key = exit_fees.customer_key
        left join members on filled.customer_key = members.customer_key
        left join favourites on filled.customer_key = favourites.customer_key
        left join retention on filled.customer_key = retention.customer_key
    )

select *
from final
